"""The kinds of panels of the dashboards, each with the same look wherever it stands.

Every panel takes a title, a description (what it shows and how to read it), queries and a unit.
Units are Grafana's (`s`, `percentunit`, `bytes`, ...); `suffix: posts/s` stands after the number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from deploy.grafana import palette
from deploy.grafana.sdk import (
    bargauge,
    common,
    common_model,
    dashboard,
    dashboard_model,
    prometheus,
    prometheus_model,
    stat,
    table,
    timeseries,
)

DATASOURCE: Final = common_model.DataSourceRef(type_val="prometheus", uid="${datasource}")
POSTS: Final = "suffix: posts"
POSTS_A_SECOND: Final = "suffix: posts/s"
NONE: Final = "–"


class Query(NamedTuple):
    """PromQL and the name of its series, where `{{label}}` stands for a label's value."""

    expression: str
    legend: str = "__auto"


class Column(NamedTuple):
    """A column of a table: the field it shows, its heading and its unit."""

    field: str
    heading: str
    unit: str | None = None
    decimals: int | None = None


def number(
    title: str,
    description: str,
    expression: str,
    unit: str,
    *,
    decimals: int | None = None,
    steps: Sequence[tuple[float, str]] = (),
    texts: Mapping[str, str] | None = None,
    none: str = NONE,
) -> stat.Panel:
    """One number, as it is at the end of the time range.

    `steps` colour it from a value on; `texts` replace values; `none` stands where there is none.
    """
    panel = (
        stat.Panel()
        .targets([_target(0, Query(expression, "{{campaign}}")).instant()])
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(common_model.BigValueGraphMode.NONE)
        .color_mode(common_model.BigValueColorMode.VALUE)
        .text_mode(common_model.BigValueTextMode.VALUE)
        .thresholds(_thresholds(steps))
        .color_scheme(_colour(dashboard_model.FieldColorModeId.THRESHOLDS))
        .no_value(none)
    )
    if texts:
        results = {
            value: dashboard_model.ValueMappingResult(text=text, index=index)
            for index, (value, text) in enumerate(texts.items())
        }
        panel.mappings([dashboard_model.ValueMap(options=results)])
    if decimals is not None:
        panel.decimals(decimals)
    return panel.title(title).description(description).unit(unit).datasource(DATASOURCE)


def lines(
    title: str,
    description: str,
    queries: Sequence[Query],
    unit: str,
    *,
    colours: Mapping[str, str] | None = None,
    stacked: Literal["normal", "percent"] | None = None,
    dashed: Mapping[str, str] | None = None,
    band: tuple[str, str] | None = None,
    lowest: float | None = 0,
    highest: float | None = None,
    signed: bool = False,
    decimals: int | None = None,
    calculations: Sequence[str] = ("lastNotNull", "max"),
) -> timeseries.Panel:
    """Values over time.

    `colours` by name of a series (without: shades by size); `dashed` draws what matches a regular
    expression as a dashed line of that colour; `band` fills between two series, low and high;
    `signed` keeps zero in the middle.
    """
    panel = (
        timeseries.Panel()
        .targets([_target(index, query).range() for index, query in enumerate(queries)])
        .line_width(2)
        .fill_opacity(60 if stacked else 0)
        .show_points(common_model.VisibilityMode.AUTO)
        .legend(
            common.VizLegendOptions()
            .display_mode(common_model.LegendDisplayMode.TABLE)
            .placement(common_model.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(list(calculations))
            .sort_by("Last *")
            .sort_desc(True)
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_model.TooltipDisplayMode.MULTI)
            .sort(common_model.SortOrder.DESCENDING)
        )
        .color_scheme(_shades())
        .axis_centered_zero(signed)
        .no_value(NONE)
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(common_model.StackingMode(stacked)).group("A"))
    if lowest is not None and not signed:
        panel.min(lowest)
    if highest is not None:
        panel.max(highest)
    if decimals is not None:
        panel.decimals(decimals)
    for name, colour in (colours or {}).items():
        panel.override_by_name(name, [_fixed(colour)])
    for expression, colour in (dashed or {}).items():
        panel.override_by_regexp(
            expression,
            [
                _fixed(colour),
                _property("custom.lineStyle", {"fill": "dash", "dash": [10, 8]}),
                _property("custom.lineWidth", 1),
                _property("custom.fillOpacity", 0),
                _property("custom.stacking", {"mode": "none", "group": "A"}),
            ],
        )
    if band:
        low, high = band
        filled = [_property("custom.fillBelowTo", low), _property("custom.fillOpacity", 15)]
        panel.override_by_name(high, [*filled, _property("custom.lineWidth", 0)])
        panel.override_by_name(low, [_property("custom.lineWidth", 0)])
    return panel.title(title).description(description).unit(unit).datasource(DATASOURCE)


def bars(
    title: str,
    description: str,
    query: Query,
    unit: str,
    *,
    colours: Mapping[str, str] | None = None,
    decimals: int | None = None,
) -> bargauge.Panel:
    """A bar for each series, as it is at the end of the time range."""
    panel = (
        bargauge.Panel()
        .targets([_target(0, query).instant()])
        .orientation(common_model.VizOrientation.HORIZONTAL)
        .display_mode(common_model.BarGaugeDisplayMode.BASIC)
        .value_mode(common_model.BarGaugeValueMode.TEXT)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .min(0)
        .color_scheme(_colour(dashboard_model.FieldColorModeId.FIXED).fixed_color(palette.BLUE))
        .no_value(NONE)
    )
    if decimals is not None:
        panel.decimals(decimals)
    for name, colour in (colours or {}).items():
        panel.override_by_name(name, [_fixed(colour)])
    return panel.title(title).description(description).unit(unit).datasource(DATASOURCE)


def rows(
    title: str,
    description: str,
    queries: Sequence[str],
    columns: Sequence[Column],
    *,
    join: str | None = None,
    sort: str,
    descending: bool = True,
    unit: str = "none",
) -> table.Panel:
    """A table of series as they are at the end of the time range.

    A label is a field by its name; the value of the only query is `Value`, of several `Value #A`,
    `Value #B`, ..., brought together by the label `join`.
    """
    as_table = prometheus_model.PromQueryFormat.TABLE
    fields = "|".join(column.field for column in columns)
    panel = table.Panel().no_value(NONE)
    for index, expression in enumerate(queries):
        panel.with_target(_target(index, Query(expression)).instant().format(as_table))
    if join:
        panel.with_transformation(_step("joinByField", {"byField": join, "mode": "outer"}))
    panel.with_transformation(
        _step("filterFieldsByName", {"include": {"pattern": f"^({fields})$"}})
    )
    panel.with_transformation(
        _step(
            "organize",
            {
                "indexByName": {column.field: at for at, column in enumerate(columns)},
                "renameByName": {column.field: column.heading for column in columns},
            },
        )
    )
    for column in columns:
        shown: list[dashboard_model.DynamicConfigValue] = []
        if column.unit:
            shown.append(_property("unit", column.unit))
        if column.decimals is not None:
            shown.append(_property("decimals", column.decimals))
        if shown:
            panel.override_by_name(column.heading, shown)
    panel.sort_by([common.TableSortByFieldState().display_name(sort).desc(descending)])
    return panel.title(title).description(description).unit(unit).datasource(DATASOURCE)


def _target(index: int, query: Query) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .ref_id(chr(ord("A") + index))
        .expr(query.expression)
        .legend_format(query.legend)
        .editor_mode(prometheus_model.QueryEditorMode.CODE)
        .datasource(DATASOURCE)
    )


def _thresholds(steps: Sequence[tuple[float, str]]) -> dashboard.ThresholdsConfig:
    first = dashboard_model.Threshold(value=None, color=palette.GOOD)
    return (
        dashboard.ThresholdsConfig()
        .mode(dashboard_model.ThresholdsMode.ABSOLUTE)
        .steps([first, *(dashboard_model.Threshold(value=at, color=to) for at, to in steps)])
    )


def _colour(mode: dashboard_model.FieldColorModeId) -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(mode)


def _shades() -> dashboard.FieldColor:
    """From yellow to blue, by the last value of a series."""
    shades = _colour(dashboard_model.FieldColorModeId.CONTINUOUS_YL_BL)
    return shades.series_by(dashboard_model.FieldColorSeriesByMode.LAST)


def _fixed(colour: str) -> dashboard_model.DynamicConfigValue:
    return _property("color", {"mode": "fixed", "fixedColor": colour})


def _property(name: str, value: object) -> dashboard_model.DynamicConfigValue:
    return dashboard_model.DynamicConfigValue(id_val=name, value=value)


def _step(name: str, options: dict[str, object]) -> dashboard_model.DataTransformerConfig:
    return dashboard_model.DataTransformerConfig(id_val=name, options=options)

"""What can be chosen at the top of a dashboard, and what all dashboards have in common."""

from __future__ import annotations

from typing import Final

from deploy.grafana import palette
from deploy.grafana.panels import DATASOURCE
from deploy.grafana.sdk import dashboard, dashboard_model

TAG: Final = "streams"
WINDOWS: Final = ("1m", "5m", "15m", "1h", "24h")


def board(title: str, uid: str, description: str) -> dashboard.Dashboard:
    """An empty dashboard with data source, namespace, links to the others and defaults.

    `uid` is fixed: links and bookmarks stay valid when a title changes.
    """
    datasource = (
        dashboard.DatasourceVariable("datasource")
        .label("Data source")
        .description("The Prometheus that scrapes workers and exporters.")
        .type("prometheus")
    )
    namespace = chosen(
        "namespace",
        "Namespace",
        "Installation, by its Kubernetes namespace; All where there is only one.",
        "label_values(streams_watermark_timestamp_seconds, namespace)",
        everything=".*",
        multi=False,
    )
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .timezone("browser")
        .time("now-6h", "now")
        .refresh("10s")
        .readonly()
        .tooltip(dashboard_model.DashboardCursorSync.CROSSHAIR)
        .with_variable(datasource)
        .with_variable(namespace)
        .link(
            dashboard.DashboardLink("Dashboards of streams")
            .type(dashboard_model.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(False)
            .include_vars(True)
            .keep_time(True)
        )
    )


def chosen(
    name: str, label: str, description: str, query: str, *, everything: str | None, multi: bool
) -> dashboard.QueryVariable:
    """A variable with the values of a label; All unless chosen.

    `everything` is what All stands for, and then matches what came later too; without it, All is
    the list of values, which rows that repeat need.
    """
    variable = (
        dashboard.QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(DATASOURCE)
        .query({"query": query, "refId": name, "qryType": 5})
        .definition(query)
        .refresh(dashboard_model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard_model.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
        .multi(multi)
        .include_all(True)
        .current(dashboard_model.VariableOption(True, *_all(multi)))
    )
    return variable.all_value(everything) if everything else variable


def _all(multi: bool) -> tuple[str | list[str], str | list[str]]:
    return (["All"], ["$__all"]) if multi else ("All", "$__all")


def window() -> dashboard.CustomVariable:
    """The window of velocity, acceleration, doubling and authors."""
    return (
        dashboard.CustomVariable("window")
        .label("Window")
        .description("Over how much event time velocity and what follows from it are taken.")
        .values(",".join(WINDOWS))
        .options([_option(value) for value in WINDOWS])
        .current(_option("5m"))
        .multi(False)
        .include_all(False)
    )


def _option(value: str) -> dashboard_model.VariableOption:
    return dashboard_model.VariableOption(value == "5m", value, value)


def alerts(expression: str) -> dashboard.AnnotationQuery:
    """Marks where alerts fire."""
    return (
        dashboard.AnnotationQuery()
        .name("Alerts")
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color(palette.VERMILION)
        .expr(expression)
        .title_format("{{alertname}}")
        .text_format("{{severity}} {{campaign}} {{partition}} {{instance}}")
        .tag_keys("alertname,severity")
    )


def reached(expression: str) -> dashboard.AnnotationQuery:
    """Marks moments that are the values of series, in milliseconds."""
    return (
        dashboard.AnnotationQuery()
        .name("Milestones")
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color(palette.BLUE)
        .expr(expression)
        .title_format("{{posts}} posts")
        .text_format("Milestone of {{campaign}}")
        .use_value_for_time(True)
    )

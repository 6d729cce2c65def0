"""Where panels stand: sections of lines, 24 columns wide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from deploy.grafana.sdk import bargauge, dashboard, dashboard_model, stat, table, timeseries

Panel: TypeAlias = stat.Panel | timeseries.Panel | table.Panel | bargauge.Panel
COLUMNS: Final = 24


class Line(NamedTuple):
    """Panels beside each other, with their widths."""

    height: int
    panels: Sequence[tuple[int, Panel]]


def line(height: int, *panels: Panel, widths: Sequence[int] = ()) -> Line:
    """Panels beside each other, equally wide unless `widths` are given.

    Raises:
        ValueError: the widths do not add up to 24 columns.
    """
    chosen = widths or [COLUMNS // len(panels)] * len(panels)
    if sum(chosen) != COLUMNS:
        raise ValueError(f"{len(panels)} panels are {sum(chosen)} columns wide, not {COLUMNS}")
    return Line(height, list(zip(chosen, panels, strict=True)))


class Section(NamedTuple):
    """A row with a title and what stands below it; `repeat` names a variable of which each value
    gets its own."""

    title: str
    lines: Sequence[Line]
    repeat: str | None = None


def place(target: dashboard.Dashboard, sections: Sequence[Section]) -> dashboard.Dashboard:
    """Add the sections, one below the other; panels are numbered in reading order."""
    y = number = 0
    for section in sections:
        number += 1
        row = dashboard.Row(section.title).id(number).grid_pos(_at(0, y, COLUMNS, 1))
        target.with_row(row.repeat(section.repeat) if section.repeat else row)
        y += 1
        for height, panels in section.lines:
            x = 0
            for width, panel in panels:
                number += 1
                target.with_panel(panel.id(number).grid_pos(_at(x, y, width, height)))
                x += width
            y += height
    return target


def _at(x: int, y: int, width: int, height: int) -> dashboard_model.GridPos:
    return dashboard_model.GridPos(x=x, y=y, w=width, h=height)

"""Pipeline: Redis, exporters, and what workers use of their machines."""

from __future__ import annotations

from typing import Final

from deploy.grafana import palette
from deploy.grafana.layout import Line, line
from deploy.grafana.panels import Column, Query, lines, rows
from deploy.grafana.promql import exporters, exporters_quantile, held, rate, worked

_USED: Final = held("streams_redis_memory_used_bytes", "node")
_LIMIT: Final = held("streams_redis_memory_limit_bytes", "node")

REDIS: Final[tuple[Line, ...]] = (
    line(
        8,
        lines(
            "Redis memory",
            "Memory that each node of Redis uses, and its limit (dashed) if it has one. At the "
            "limit Redis refuses to write (noeviction): workers wait, and nothing is lost.",
            [Query(_USED, "{{node}}"), Query(f"{_LIMIT} > 0", "limit {{node}}")],
            "bytes",
            dashed={"/^limit /": palette.VERMILION},
            decimals=1,
        ),
        lines(
            "Redis memory, share of limit",
            "Used memory as a share of the limit, by node; 0 where there is no limit. Above 80 % "
            "(dashed), raise it or shorten what is kept.",
            [
                Query(f"{_USED} / ({_LIMIT} > 0) or 0 * {_USED}", "{{node}}"),
                Query("vector(0.8)", "act above"),
            ],
            "percentunit",
            dashed={"/^act above$/": palette.ORANGE},
            highest=1,
            decimals=1,
        ),
        lines(
            "Read of Redis",
            "How long an exporter takes to read all partitions: half and 99 % of the reads are "
            "below these.",
            [
                Query(exporters_quantile(0.5, "streams_redis_read_seconds"), "median"),
                Query(exporters_quantile(0.99, "streams_redis_read_seconds"), "99 %"),
            ],
            "s",
            colours={name: palette.QUANTILES[name] for name in ("median", "99 %")},
            decimals=3,
        ),
    ),
    line(
        8,
        lines(
            "Exporter staleness",
            "How old the newest complete read of Redis is, by exporter. A line that rises: that "
            "exporter publishes old numbers.",
            [
                Query(
                    f"time() - {exporters('streams_redis_read_timestamp_seconds')}",
                    "{{instance}}",
                )
            ],
            "s",
            decimals=1,
        ),
        lines(
            "Failed reads",
            "Reads of Redis that failed since each exporter started; what was read before is "
            "still served. Each step is one.",
            [Query(exporters("streams_redis_read_failures_total"), "{{instance}}")],
            "none",
            decimals=0,
        ),
        lines(
            "Watermarks",
            "Event time that is completely counted, and the clock. A line that stands while the "
            "other rises: something is not counted. With the replay clock it is the replay's.",
            [
                Query(f"{held('streams_watermark_timestamp_seconds')} * 1000", "counted up to"),
                Query("vector(time() * 1000)", "clock"),
            ],
            "dateTimeAsIso",
            colours={"counted up to": palette.BLUE},
            dashed={"/^clock$/": palette.GREY},
            lowest=None,
            calculations=("lastNotNull",),
        ),
    ),
)

WORKERS: Final[tuple[Line, ...]] = (
    line(
        8,
        rows(
            "Workers",
            "Each worker: what runs there, since when, and what it does and uses now. Different "
            "versions side by side are a rollout; CPU near 100 % is one full core.",
            [
                worked("streams_build_info"),
                f"1000 * {worked('process_start_time_seconds')}",
                f"sum by (instance) ({worked('streams_lag_posts')})",
                f"sum by (instance) (rate({worked('streams_posts_total')}[5m]))",
                f"rate({worked('process_cpu_seconds_total')}[5m])",
                worked("process_resident_memory_bytes"),
                f"changes({worked('process_start_time_seconds')}[1d])",
            ],
            [
                Column("instance", "Worker"),
                Column("version", "Version"),
                Column("python", "Python"),
                Column("Value #B", "Started", "dateTimeAsIso"),
                Column("Value #C", "Lag", "none", 0),
                Column("Value #D", "Records/s", "none", 1),
                Column("Value #E", "CPU", "percentunit", 0),
                Column("Value #F", "Memory", "bytes", 0),
                Column("Value #G", "Restarts in a day", "none", 0),
            ],
            join="instance",
            sort="Lag",
        ),
    ),
    line(
        8,
        lines(
            "CPU by worker",
            "Share of a core; the darker, the more. A worker is one process: near 100 % it is at "
            "its limit, and another worker helps if there are partitions for it.",
            [Query(rate("process_cpu_seconds_total", "instance"), "{{instance}}")],
            "percentunit",
            decimals=0,
        ),
        lines(
            "Memory by worker",
            "Resident memory; the darker, the more. It should level off.",
            [Query(worked("process_resident_memory_bytes"), "{{instance}}")],
            "bytes",
            decimals=0,
        ),
        lines(
            "Restarts by worker",
            "Restarts within the last hour. More than one or two: look at the log of the one "
            "before.",
            [Query(f"changes({worked('process_start_time_seconds')}[1h])", "{{instance}}")],
            "none",
            decimals=0,
        ),
        lines(
            "Open files by worker",
            "Share of the file descriptors that the process may open. Near 100 % connections fail.",
            [Query(f"{worked('process_open_fds')} / {worked('process_max_fds')}", "{{instance}}")],
            "percentunit",
            decimals=1,
        ),
    ),
)

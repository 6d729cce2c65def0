"""Pieces of PromQL that all panels share.

Exporters publish what Redis holds, all of them the same: their series are taken with `max`, never
added up over instances, and never put through `rate()`, because velocity is a metric of its own in
event time.  Workers count what they did: theirs are rates and sums.
"""

from __future__ import annotations

from typing import Final

# In Kubernetes, one installation a namespace; a series without the label matches `.*` as well.
_SCOPE: Final = 'namespace=~"$namespace"'
_WORKERS: Final = f'job="streams-worker", {_SCOPE}, instance=~"$worker"'
RATE: Final = "$__rate_interval"


def _selector(*scopes: str, **labels: str) -> str:
    chosen = (
        f'{name}{"=~" if value.startswith("$") else "="}"{value}"' for name, value in labels.items()
    )
    return "{" + ", ".join((*scopes, *chosen)) + "}"


def held(metric: str, *by: str, **labels: str) -> str:
    """A metric of the exporters, one series for each combination of the labels `by`.

    `labels` select by value; a value that begins with `$` is a variable of the dashboard.
    """
    return _max(by, metric + _selector(_SCOPE, **labels))


def _max(by: tuple[str, ...], selected: str) -> str:
    return f"max by ({', '.join(('namespace', *by))}) ({selected})"


def of_campaign(metric: str, *by: str, **labels: str) -> str:
    """`held`, of the campaigns that are chosen."""
    return held(metric, "campaign", *by, campaign="$campaign", **labels)


def of_dimension(dimension: str) -> str:
    """Velocity of the chosen campaigns over the last hour, by the values of a dimension."""
    return of_campaign("streams_campaign_dimension_velocity", "value", dimension=dimension)


def largest(count: int, metric: str, *by: str, **labels: str) -> str:
    """`held`, of the series that are the largest at the end of the time range, over all of it.

    A plain `topk` chooses anew at every step, and its lines come and go.
    """
    selected = metric + _selector(_SCOPE, **labels)
    last = f"topk({count}, {_max(by, f'{selected} @ end()')})"
    return f"{_max(by, selected)} and on (namespace, {', '.join(by)}) {last}"


def worked(metric: str, **labels: str) -> str:
    """A metric of the chosen workers, a series for each of them."""
    return metric + _selector(_WORKERS, **labels)


def rate(metric: str, *by: str, **labels: str) -> str:
    """Per second, of a counter of the workers, added up over all but the labels `by`."""
    return f"sum by ({', '.join(by)}) (rate({worked(metric, **labels)}[{RATE}]))"


def ingested(what: str) -> str:
    """Records per second of a counter of `streams ingest`, by source."""
    selected = f"streams_ingest_{what}_total{_selector(_SCOPE)}"
    return f"sum by (source) (rate({selected}[{RATE}]))"


def quantile(share: float, histogram: str) -> str:
    """A quantile (0-1) of a histogram of the workers, over all of them."""
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', 'le')})"


def exporters_quantile(share: float, histogram: str) -> str:
    """A quantile (0-1) of a histogram that each exporter keeps of its own work."""
    buckets = f"rate({histogram}_bucket{_selector(_SCOPE)}[{RATE}])"
    return f"histogram_quantile({share}, sum by (le) ({buckets}))"


def exporters(metric: str, **labels: str) -> str:
    """What each exporter says of itself, a series for each of them."""
    return metric + _selector(_SCOPE, **labels)


def none_is_zero(expression: str, label: str) -> str:
    """One series of zeros, with `none` for the label, where there is nothing at all yet."""
    return f'({expression}) or on () label_replace(vector(0), "{label}", "none", "", "")'

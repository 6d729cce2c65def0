"""Grafana's Foundation SDK, imported once for all modules here.

It warns of its classic dashboard model in favour of the one of Grafana 12's API.  The classic model
is the one that file provisioning and the Kubernetes sidecar read in every version since 9.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    from grafana_foundation_sdk.builders import (
        bargauge,
        common,
        dashboard,
        prometheus,
        stat,
        table,
        timeseries,
    )
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import common as common_model
    from grafana_foundation_sdk.models import dashboard as dashboard_model
    from grafana_foundation_sdk.models import prometheus as prometheus_model

__all__ = [
    "JSONEncoder",
    "bargauge",
    "common",
    "common_model",
    "dashboard",
    "dashboard_model",
    "prometheus",
    "prometheus_model",
    "stat",
    "table",
    "timeseries",
]

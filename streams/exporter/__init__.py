"""Publishes what Redis holds: metrics for Prometheus, JSON for programs, a page for people.

Keeps no state of its own; any number of exporters may run.
"""

from streams.exporter.app import build_app, serve_exporter

__all__ = ["build_app", "serve_exporter"]

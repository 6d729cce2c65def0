"""The pipeline that is watched."""

from tests.integration.pipeline import new_pipeline

__all__ = ["new_pipeline"]

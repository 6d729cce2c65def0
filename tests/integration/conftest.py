"""The pipeline of these tests."""

from tests.integration.pipeline import new_pipeline

__all__ = ["new_pipeline"]

"""The campaigns topic, record by record.  All texts are invented."""

from __future__ import annotations

import logging
from importlib.resources import files

import pytest

from streams.campaigns import load
from streams.catalog import Catalog

METOO = (files("streams.campaigns") / "metoo.toml").read_bytes()
BREAD = b'name = "bread"\nversion = "1"\nhashtags.en = ["FreshBread"]\n'


def names(catalog: Catalog) -> list[tuple[str, str]]:
    return [(campaign.name, campaign.version) for campaign in catalog.campaigns()]


def test_the_topic_adds_to_the_files_and_goes_before_them() -> None:
    catalog = Catalog([load("metoo")])
    own = load("metoo").version
    assert catalog.take(0, b"bread", BREAD)
    assert names(catalog) == [("metoo", own), ("bread", "1")]
    assert catalog.take(1, b"metoo", METOO.replace(own.encode(), b"next"))
    assert names(catalog) == [("metoo", "next"), ("bread", "1")]
    assert not catalog.take(2, b"bread", BREAD), "nothing changed"
    assert catalog.position == 3


def test_no_value_ends_what_the_topic_said() -> None:
    catalog = Catalog([load("metoo")])
    catalog.take(0, b"metoo", METOO.replace(load("metoo").version.encode(), b"next"))
    catalog.take(1, b"bread", BREAD)
    assert catalog.take(2, b"bread", None)
    assert catalog.take(3, b"metoo", None)
    assert names(catalog) == [("metoo", load("metoo").version)]
    assert not catalog.take(4, b"unknown", None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"bread", b"no TOML"),
        (b"bread", b"\xff\xfe"),
        (b"bread", BREAD.replace(b'"bread"', b'"cake"')),
        (None, BREAD),
        (b"bread", BREAD + b"unknown = 1\n"),
    ],
)
def test_what_is_no_campaign_is_left_out_and_what_held_holds(
    key: bytes | None, value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = Catalog([])
    catalog.take(0, b"bread", BREAD)
    with caplog.at_level(logging.ERROR):
        assert not catalog.take(1, key, value)
    assert names(catalog) == [("bread", "1")]
    assert "campaigns topic, offset 1: left out" in caplog.text

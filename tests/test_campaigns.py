"""Campaign files: the shipped one, and what is refused."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from streams.campaigns import CampaignError, load, parse
from streams.classify import Classifier
from streams.text.hashtags import canonical

SMALL = 'name = "rain"\nversion = "1"\nhashtags = { en = ["RainToday"] }\n'


def test_the_shipped_campaign() -> None:
    metoo = load("metoo")
    assert metoo.name == "metoo"
    assert metoo.roots == ["x:919659438700670976"]
    assert metoo.thresholds == {"info": 0.5, "warning": 2.0, "page": 10.0}
    assert metoo.milestones == [1_000, 10_000, 100_000, 500_000, 1_000_000]
    assert {"me too", "moi aussi", "גם אני"} <= set(metoo.all_phrases)
    assert set(metoo.calls) >= {"en", "fr", "es", "de"}


def test_defaults() -> None:
    campaign = parse(SMALL, "rain.toml")
    assert campaign.matching.folds == {"marks", "hamza"}
    assert (campaign.roots, campaign.thresholds, campaign.all_phrases) == ([], {}, ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "is no TOML"),
        (SMALL + "colour = 1", "unknown field `colour`"),
        (SMALL + "[matching]\nfold = true", "matching: .*unknown field `fold`"),
        (SMALL.replace("rain", "Rain Day"), "name: "),
        (SMALL.replace('version = "1"', ""), "missing required field `version`"),
        (SMALL.replace('["RainToday"]', '["#RainToday"]'), "hashtags"),
        (SMALL.replace('["RainToday"]', "[]"), "hashtags: needs at least one"),
        (SMALL + 'roots = ["919"]', r"roots\[0\]"),
        (SMALL + 'roots = ["x:abc"]', r"roots\[0\]"),
        (SMALL + "milestones = [10, 5]", "milestones: must rise"),
        (SMALL + "milestones = [0]", r"milestones\[0\]"),
        (SMALL + "[thresholds]\ninfo = 0", r"thresholds"),
        (SMALL + "[matching]\ncall_similarity = 2", "matching.call_similarity"),
        (SMALL + 'phrases = { en = [""] }', "phrases"),
        (SMALL + 'context = { en = ["wet"] }', "context.en: there are no phrases"),
        (SMALL + 'excluded = ["raintoday"]', "excluded: RainToday is one of the hashtags"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(CampaignError, match=message) as caught:
        parse(text, "rain.toml")
    assert str(caught.value).startswith("campaign file rain.toml: ")
    assert "\n" not in str(caught.value)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "rain.toml"
    with pytest.raises(CampaignError, match="No such file"):
        load(path)
    path.write_text(SMALL, encoding="utf-8")
    assert load(str(path)).name == "rain"
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(CampaignError, match="UTF-8"):
        load(path)
    with pytest.raises(CampaignError, match="not shipped"):
        load("rain")
    with pytest.raises(CampaignError):
        load(str(tmp_path) + "/")


def test_variants_of_the_shared_data(shared_data: Path) -> None:
    """Every hashtag that is to be counted is, and none that is not to be."""
    classifier = Classifier([load("metoo")])
    table = (shared_data / "metoo/variants.tsv").read_text(encoding="utf-8")
    seen = {"yes": 0, "no": 0}
    for row in csv.DictReader(table.splitlines(), delimiter="\t"):
        for tag in re.findall(r"#([^\s/#]+)#?", row["variant"]):
            assert classifier.is_campaign_tag(canonical(tag)) is (row["count"] == "yes"), tag
            seen[row["count"]] += 1
    assert min(seen.values()) > 15

"""A campaign file, checked: unknown keys and bad values are refused by name.

The format is documented where it is used: `metoo.toml` beside this module.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from streams.errors import UsageError
from streams.text.hashtags import canonical
from streams.text.normalise import folded_tag

Name: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Text: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\S", max_length=10_000)]
Tag: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[^\s#]+$", max_length=200)]
Uid: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^(x:[0-9]{1,19}|(mastodon|bluesky|facebook):\S+)$")
]
Rate: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
Count: TypeAlias = Annotated[int, msgspec.Meta(gt=0)]
Share: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=1)]
Grouped: TypeAlias = dict[Text, list[Text]]

_SHIPPED: Final = files("streams.campaigns")
_WHERE: Final = re.compile(r"^(.*) - at `(?:key in )?\$\.?([^`]*)`$", re.DOTALL)


class CampaignError(UsageError):
    """A campaign file is missing or wrong; one line that says what."""


class Matching(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How texts and tags are compared; what is counted keeps its own form."""

    fold_marks: bool = True  # accents, points and vowel signs do not matter
    fold_hamza: bool = True  # nor does hamza on its carrier
    call_similarity: Share = 0.4  # of a call's pairs of near words that a copy has

    @property
    def folds(self) -> frozenset[str]:
        """As `streams.text.normalise.folded` takes them."""
        chosen = {"marks": self.fold_marks, "hamza": self.fold_hamza}
        return frozenset(name for name, wanted in chosen.items() if wanted)


class Campaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One campaign.  Lists are as in the file; hashtags without `#`."""

    name: Name
    version: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    title: str = ""
    matching: Matching = Matching()
    hashtags: dict[Text, list[Tag]]  # language or place -> variants
    excluded: list[Tag] = []
    phrases: Grouped = {}  # language -> phrases
    context: Grouped = {}  # language -> beginnings of words beside that language's phrases
    calls: Grouped = {}  # language -> texts of the call
    roots: list[Uid] = []
    accounts: list[Uid] = []
    amplifier_followers: Count = 100_000
    thresholds: dict[Name, Rate] = {}  # severity -> posts per second
    milestones: list[Count] = []

    @property
    def all_hashtags(self) -> tuple[str, ...]:
        return flat(self.hashtags)

    @property
    def all_phrases(self) -> tuple[str, ...]:
        return flat(self.phrases)

    @property
    def all_calls(self) -> tuple[str, ...]:
        return flat(self.calls)


def flat(groups: Mapping[str, list[str]]) -> tuple[str, ...]:
    """What all groups hold, in order, no repeats."""
    return tuple(dict.fromkeys(text for texts in groups.values() for text in texts))


def load(name: str | Path) -> Campaign:
    """A shipped campaign by its name, or one from the path of its file.

    A path has a `/` in it or ends in `.toml`.  Raises `CampaignError`.
    """
    text = str(name)
    path = Path(name)
    if "/" not in text and path.suffix != ".toml":
        shipped = _SHIPPED / f"{text}.toml"
        if not shipped.is_file():
            raise CampaignError(f"campaign {text}: not shipped; give the path of its .toml file")
        return parse(shipped.read_text(encoding="utf-8"), text)
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CampaignError(f"campaign file {text}: {error.strerror}") from error
    except ValueError as error:  # no UTF-8, or no path
        raise CampaignError(f"campaign file {text}: is no UTF-8 text") from error
    return parse(content, text)


def parse(text: str, source: str) -> Campaign:
    """A campaign from TOML text; `source` names it in errors.  Raises `CampaignError`."""
    try:
        values: dict[str, Any] = tomllib.loads(text)
        campaign = msgspec.convert(values, Campaign)
    except tomllib.TOMLDecodeError as error:
        raise CampaignError(f"campaign file {source}: is no TOML: {error}") from error
    except RecursionError as error:
        raise CampaignError(f"campaign file {source}: is nested too deep") from error
    except msgspec.ValidationError as error:
        where = _WHERE.match(str(error))
        message = f"{where.group(2)}: {where.group(1)}" if where else str(error)
        raise CampaignError(f"campaign file {source}: {message}") from error
    problem = _problem(campaign)
    if problem is not None:
        raise CampaignError(f"campaign file {source}: {problem}")
    return campaign


def _problem(campaign: Campaign) -> str | None:
    """What the types cannot say."""
    if not campaign.all_hashtags:
        return "hashtags: needs at least one"
    if sorted(set(campaign.milestones)) != campaign.milestones:
        return "milestones: must rise"
    folds = campaign.matching.folds
    excluded = {folded_tag(canonical(tag), folds) for tag in campaign.excluded}
    for lang in campaign.context:
        if lang not in campaign.phrases:
            return f"context.{lang}: there are no phrases of that language"
    for tag in campaign.all_hashtags:
        if folded_tag(canonical(tag), folds) in excluded:
            return f"excluded: {tag} is one of the hashtags, too"
    return None

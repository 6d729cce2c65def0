"""A scenario: the TOML file that says what a simulated day looks like."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import msgspec

from streams.errors import UsageError

_FOLDER: Final = Path(__file__).parent.parent / "scenarios"

Share: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1)]
Weights: TypeAlias = dict[str, Annotated[float, msgspec.Meta(ge=0)]]


class ScenarioError(UsageError):
    """The scenario does not exist or cannot be used; the message says why, in one line."""


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: int
    name: str
    followers: int
    verified: bool


class Mix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of all posts; what is left are originals."""

    repost: Share
    reply: Share
    quote: Share


class Originals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of the originals; what is left has a text and a hashtag of the campaign."""

    hashtag_only: Share
    bare: Share
    call: Share
    media: Share
    chatter: Share


class Reposts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    root: Share
    burst: Share
    window: Annotated[int, msgspec.Meta(ge=1)]


class Replies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    root: Share
    bare: Share
    tagged: Share
    casual: Share


class Quotes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tagged: Share
    bare: Share


class Dirt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares of all records, but `out_of_order`, which is one of the originals."""

    duplicate: Share
    ignored: Share
    dead: Share
    late: Share
    out_of_order: Share


class Root(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The post that starts it all: its id is the platform's, its text is the call's."""

    id: int
    at: datetime
    author: Account


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A post of an account with many followers, and the burst of reposts after it."""

    at: datetime
    author: Account
    lang: str
    text: str


class Tags(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    metoo: Weights
    co: list[str]
    other: list[str]
    lookalike: list[str]


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    share: Share
    before: Share = 0.0  # weight before the root post
    wire: str | None = None  # what the platform calls it, where that is not BCP 47
    countries: Weights = {}
    tags: Weights = {}
    metoo: Share  # posts that use the campaign's first tag rather than `tags`
    bare: list[str] = []
    calls: list[str] = []
    tagged: Annotated[list[tuple[str, str]], msgspec.Meta(min_length=1)]  # intended stance, text
    replies: list[str] = []
    chatter: Annotated[list[str], msgspec.Meta(min_length=1)]


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it; `rate` holds (hh:mm, posts per hour) knots, hours above 23 are the next day's."""

    name: str
    description: str
    campaign: str
    start: datetime
    hours: Annotated[float, msgspec.Meta(gt=0, lt=25)]
    rate: Annotated[list[tuple[str, float]], msgspec.Meta(min_length=2)]
    mix: Mix
    originals: Originals
    reposts: Reposts
    replies: Replies
    quotes: Quotes
    dirt: Dirt
    root: Root
    known: list[Known]
    tags: Tags
    languages: dict[str, Language]

    @property
    def start_ms(self) -> int:
        return milliseconds(self.start)


def milliseconds(moment: datetime) -> int:
    """Exact ms since the epoch (a float's 53 bits would do, its rounding would not)."""
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def scenario_names() -> list[str]:
    """The scenarios that ship with the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_scenario(name: str | Path) -> Scenario:
    """Load a shipped scenario by its name, or one from a path that ends in `.toml`.

    Raises `ScenarioError` where there is none or it is not as it should be.
    """
    path = Path(name) if str(name).endswith(".toml") else _FOLDER / f"{name}.toml"
    try:
        content = path.read_bytes()
    except OSError as error:
        known = ", ".join(scenario_names())
        raise ScenarioError(f"no scenario {name}: {error.strerror}; there are: {known}") from error
    try:
        scenario = msgspec.toml.decode(content, type=Scenario)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ScenarioError(f"{path.name}: {error}") from error
    if "en" not in scenario.languages:
        raise ScenarioError(f"{path.name}: languages.en is missing, the root post is in English")
    return scenario

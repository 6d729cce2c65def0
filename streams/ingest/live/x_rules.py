"""What the filtered stream has to look for: rules out of campaign files, and keeping them in step.

https://docs.x.com/x-api/posts/filtered-stream/integrate/build-a-rule.  A rule of ours has the tag
`streams:CAMPAIGN`; rules with other tags are other people's and are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

import aiohttp
import msgspec

from streams.campaigns import Campaign
from streams.errors import UserError
from streams.ingest.live.http import expect_ok
from streams.ingest.live.source import Disconnected

_TAG: Final = "streams:"
_OR: Final = " OR "
_REST_SECONDS: Final = 30.0
# Of a copied call its beginning, as an exact phrase: copies are changed towards their end.
_CALL_WORDS: Final = 6
_CALL_LETTERS: Final = 40
_hashtag: Final = re.compile(r"\w*[^\W\d_]\w*").fullmatch  # X knows no tags of emoji
_QUOTES: Final = str.maketrans(dict.fromkeys('"“”„«»', " "))


class Rule(NamedTuple):
    value: str
    tag: str


class _Known(msgspec.Struct):
    id: str
    value: str
    tag: str | None = None


class _Listing(msgspec.Struct):
    data: list[_Known] = []


class _Problem(msgspec.Struct):
    title: str = ""
    detail: str = ""
    value: str | None = None


class _Answer(msgspec.Struct):
    errors: list[_Problem] = []


def rules_of(campaigns: Iterable[Campaign], *, length: int, phrases: bool) -> list[Rule]:
    """Rules of at most `length` characters, the same for the same campaigns, no repeats."""
    found = []
    for campaign in campaigns:
        terms = dict.fromkeys(_terms(campaign, phrases=phrases))
        tag = f"{_TAG}{campaign.name}"
        found += [Rule(value, tag) for value in _packed(terms, length)]
    by_value = {rule.value: rule for rule in reversed(found)}  # X takes each value once
    return list(reversed(by_value.values()))


def _terms(campaign: Campaign, *, phrases: bool) -> Iterable[str]:
    for tag in campaign.all_hashtags:
        if _hashtag(tag):
            yield f"#{tag.casefold()}"
    for root in campaign.roots:
        platform, _, number = root.partition(":")
        if platform == "x":
            yield f"conversation_id:{number}"
            yield f"retweets_of_tweet_id:{number}"
    if phrases:
        for phrase in campaign.all_phrases:
            yield _exact(phrase)
    for call in campaign.all_calls:
        words = call.translate(_QUOTES).split()[:_CALL_WORDS]
        yield _exact(" ".join(words)[:_CALL_LETTERS].rsplit(" ", 1)[0] if len(words) > 1 else "")


def _exact(text: str) -> str:
    text = " ".join(text.translate(_QUOTES).split())
    return f'"{text}"' if text else ""


def _packed(terms: Iterable[str], length: int) -> list[str]:
    rules: list[str] = []
    for term in terms:
        if not term or len(term) > length:
            continue
        if rules and len(rules[-1]) + len(_OR) + len(term) <= length:
            rules[-1] += _OR + term
        else:
            rules.append(term)
    return rules


_Body = TypeVar("_Body", _Listing, _Answer)


class RuleBook:
    """The account's rules at X."""

    def __init__(
        self, url: str, headers: dict[str, str], http: aiohttp.ClientSession, most: int
    ) -> None:
        self._url = f"{url.rstrip('/')}/2/tweets/search/stream/rules"
        self._headers = headers
        self._http = http
        self._most = most

    async def bring_in_step(self, wanted: Sequence[Rule]) -> tuple[int, int]:
        """Add what is missing, then delete what is ours and not wanted; how many of each.

        In this order no post falls between two versions of a campaign; only where there is no room
        for both, the old ones go first.  Raises `UserError` where they cannot be.
        """
        async with self._http.get(
            self._url, headers=self._headers, timeout=aiohttp.ClientTimeout(total=_REST_SECONDS)
        ) as response:
            await expect_ok(response)
            known = _decoded(await response.read(), _Listing).data
        others = [rule for rule in known if not (rule.tag or "").startswith(_TAG)]
        ours = {Rule(rule.value, rule.tag or ""): rule.id for rule in known if rule not in others}
        taken = {rule.value for rule in others}
        wanted = [rule for rule in wanted if rule.value not in taken]
        if len(wanted) + len(others) > self._most:
            raise UserError(
                f"the campaigns need {len(wanted)} rules at X, and {self._most - len(others)} of "
                f"{self._most} are free: set ingest.x.phrases = false, or ingest.x.rules and "
                "ingest.x.rule_length to what the account may have"
            )
        new = [rule for rule in wanted if rule not in ours]
        old = [number for rule, number in ours.items() if rule not in wanted]
        replaced = {rule.value for rule in ours} & {rule.value for rule in new}
        if len(known) + len(new) > self._most or replaced:  # a value under another tag
            await self._delete(old)
            await self._add(new)
        else:
            await self._add(new)
            await self._delete(old)
        return len(new), len(old)

    async def _add(self, rules: Sequence[Rule]) -> None:
        if rules:
            answer = await self._post({"add": [rule._asdict() for rule in rules]})
            refused = [e for e in answer.errors if e.title != "DuplicateRule"]
            if refused:
                first = refused[0]
                raise UserError(
                    f"X refuses a rule ({first.title}): {first.detail or first.value or ''}"
                )

    async def _delete(self, ids: Sequence[str]) -> None:
        if ids:
            await self._post({"delete": {"ids": list(ids)}})

    async def _post(self, body: object) -> _Answer:
        async with self._http.post(
            self._url,
            json=body,
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=_REST_SECONDS),
        ) as response:
            await expect_ok(response)
            return _decoded(await response.read(), _Answer)


def _decoded(content: bytes, kind: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise Disconnected("http", f"X's rules cannot be read: {error}") from error

"""What is posted, one post after the other: who answers, quotes and reposts whom."""

from __future__ import annotations

from typing import Final

from streams.ingest.simulate.dice import Dice
from streams.ingest.simulate.draft import Author, Draft, Words, snowflake
from streams.ingest.simulate.people import People
from streams.ingest.simulate.scenario import Account, Known, Scenario, milliseconds
from streams.ingest.simulate.writer import Writer

HOUR_MS: Final = 3_600_000
_PLACES: Final = 0.05  # of what is not a repost: few people share where they are
# How likely a post is to be seen, and so to be reposted at all.
_SEEN: Final = {"tags": 0.25, "media": 0.3, "text": 0.8}
_CHATTER_SEEN: Final = 0.45
_REPLY_SEEN: Final = 0.1
_BEFORE: Final = 20  # posts from before the root post that go on being reposted


class Day:
    """Drafts in order of arrival.  Deterministic for a scenario, a size and the dice's seed."""

    def __init__(self, scenario: Scenario, posts: int, dice: Dice) -> None:
        self._scenario = scenario
        self._dice = dice
        self._start = scenario.start_ms
        self._people = People(dice, posts)
        self._writer = Writer(scenario, dice)
        self._serial = 0
        self._root: Draft | None = None
        self._star: Draft | None = None  # the known account's post of the hour
        # Every post that may be reposted, and every repost again: drawing from it evenly makes
        # posts popular in proportion to how popular they are (Yule-Simon), within a window.
        self._seen: list[Draft] = []
        self._window = max(200, scenario.reposts.window * posts // 500_000)
        events: list[tuple[int, Known | None]] = [(milliseconds(scenario.root.at), None)]
        events += [(milliseconds(known.at), known) for known in scenario.known]
        self._events = sorted(events, key=lambda event: event[0], reverse=True)

    def due(self, now: int) -> bool:
        """Is there something of the script (the root post, a known account) to come first?"""
        return bool(self._events) and self._events[-1][0] <= now

    def scripted(self) -> Draft:
        """The next post of the script; raises `IndexError` where there is none."""
        at, known = self._events.pop()
        if known is None:
            root = self._scenario.root
            draft = self._draft(at, self._writer.call("en", plain=True), account(root.author))
            draft.id = draft.conversation = root.id
            self._root = draft
            del self._seen[:-_BEFORE]
        else:
            words = scripted_words(known)
            draft = self._star = self._draft(at, words, account(known.author))
        return draft

    def next(self, now: int) -> Draft:
        """A post that arrives at `now` (ms UTC)."""
        mix, dice = self._scenario.mix, self._dice
        form = dice.random()
        created = max(self._start, now - int(2500 * dice.random()))
        if form < mix.repost and self._seen:
            return self._repost(created, now)
        form -= mix.repost
        if 0 <= form < mix.reply:
            return self._reply(created, now)
        form -= mix.reply
        if 0 <= form < mix.quote and self._seen:
            return self._quote(created, now)
        return self._original(now)

    def late(self, now: int) -> Draft:
        """A post that was created three to ten days before the day and arrives only now."""
        age = int((3 + 7 * self._dice.random()) * 24 * HOUR_MS)
        return self._draft(self._start - age - now % 1000, self._writer.tagged("en"))

    def _original(self, now: int) -> Draft:
        shares, dice, writer = self._scenario.originals, self._dice, self._writer
        lang = writer.language(after=self._root is not None)
        form = dice.random()
        mentions = None
        if form < shares.hashtag_only:
            words = writer.tags_only(lang)
        elif (form := form - shares.hashtag_only) < shares.bare:
            words = writer.bare(lang)
        elif (form := form - shares.bare) < shares.call and self._root is not None:
            words = writer.call(lang)
        elif (form := form - shares.call) < shares.media:
            words = writer.media(lang)
        elif form - shares.media < shares.chatter:
            words = writer.chatter(lang)
            if dice.chance(0.1):
                mentions = self._people.someone()
        else:
            words = writer.tagged(lang)
        draft = self._draft(self._created(now), words, lang=lang)
        draft.mentions = mentions
        if dice.chance(_SEEN[words.style] if words.via else _CHATTER_SEEN):
            self._see(draft)
        return draft

    def _repost(self, created: int, now: int) -> Draft:
        about = self._reposted(now)
        draft = self._draft(created, about.words)
        draft.kind, draft.about, draft.country = "repost", about, None
        # Hashtags come along; whatever else makes the reposted post a member makes this a repost.
        draft.via = about.via if about.via in (None, "hashtag") else "repost"
        draft.wire = about.wire
        if about is not self._root and about is not self._star:  # they have shares of their own
            self._see(about)
        return draft

    def _reposted(self, now: int) -> Draft:
        dice, shares = self._dice, self._scenario.reposts
        form = dice.random()
        if self._root is not None and form < shares.root:
            return self._root
        if self._star is not None:
            left = 1 - (now - self._star.created) / HOUR_MS
            if left > 0 and form - shares.root < shares.burst * left * left:
                return self._star
        seen = self._seen
        window = min(len(seen), self._window)
        return seen[len(seen) - 1 - int(dice.random() * window)]

    def _reply(self, created: int, now: int) -> Draft:
        shares, dice, writer = self._scenario.replies, self._dice, self._writer
        lang = writer.language(after=self._root is not None)
        root = self._root
        form = dice.random()
        if root is not None and dice.chance(shares.root) and created > root.created:
            if form < shares.bare:
                words = writer.first_sentence(lang) if dice.chance(0.15) else writer.bare(lang)
            elif form < shares.bare + shares.tagged:
                words = writer.tagged(lang)
            else:
                words = writer.remark(lang)
            draft = self._draft(created, words, lang=lang)
            draft.via = words.via or "reply"
            parent, author, conversation = root.id, root.author, root.id
        else:
            if form < 2 * shares.tagged:
                words = writer.tagged(lang)
            elif form < 2 * shares.tagged + shares.casual:  # "me too", but to something else
                words = writer.bare(lang)._replace(via=None, stance="unclear")
            else:
                words = writer.remark(lang)
            draft = self._draft(created, words, lang=lang)
            parent = snowflake(created - 60_000 - dice.below(HOUR_MS), self._serial)
            author, conversation = self._people.someone(), parent
        draft.kind, draft.answers, draft.conversation = "reply", (parent, author), conversation
        if dice.chance(_REPLY_SEEN):
            self._see(draft)
        return draft

    def _quote(self, created: int, now: int) -> Draft:
        dice, writer = self._dice, self._writer
        lang = writer.language(after=self._root is not None)
        shares, form = self._scenario.quotes, dice.random()
        if form < shares.tagged:
            words = writer.tagged(lang)
        elif form < shares.tagged + shares.bare:
            words = writer.bare(lang)
        else:  # what it quotes does not count for it: this is no post of the quoted one's tag
            words = writer.remark(lang)
        draft = self._draft(created, words, lang=lang)
        draft.kind, draft.about = "quote", self._reposted(now)
        if dice.chance(_SEEN["text"]):
            self._see(draft)
        return draft

    def _draft(
        self, created: int, words: Words, author: Author | None = None, *, lang: str | None = None
    ) -> Draft:
        self._serial += 1
        number = snowflake(created, self._serial)
        dice = self._dice
        draft = Draft(
            id=number,
            created=created,
            author=author or self._people.someone(),
            words=words,
            kind="original",
            conversation=number,
            via=words.via,
            salt=dice.below(1 << 40),
            wire=_WIRE.get(words.style) or self._writer.wire(words.lang),
        )
        if lang is not None and dice.chance(_PLACES):
            draft.country = self._writer.country(lang)
        return draft

    def _see(self, draft: Draft) -> None:
        seen = self._seen
        seen.append(draft)
        if len(seen) > 2 * self._window:
            del seen[: self._window]

    def _created(self, now: int) -> int:
        """Mostly just now; seldom minutes, more seldom hours ago, never before the day."""
        dice = self._dice
        age = int(2500 * dice.random())
        if dice.chance(self._scenario.dirt.out_of_order):
            age = (
                60_000 + dice.below(90 * 60_000)
                if dice.chance(0.9)
                else HOUR_MS + dice.below(7 * HOUR_MS)
            )
        if now - age < self._start:
            return self._start + dice.below(max(1, now - self._start))
        return now - age


# Where there is no language to detect, v2 says why, and v1.1 says `und`.
_WIRE: Final = {"tags": "qht", "media": "qme"}


def account(given: Account) -> Author:
    return Author(given.id, given.name, given.followers, given.verified)


def scripted_words(known: Known) -> Words:
    """The text of a known account's post: its hashtags stand in the scenario as they are sent."""
    tags = tuple(word[1:].rstrip(".,!?") for word in known.text.split() if word.startswith("#"))
    bare = len(tags) == len(known.text.split())
    lang = "und" if bare else known.lang
    return Words(known.text, tags, lang, "hashtag", "support", "tags" if bare else "text")

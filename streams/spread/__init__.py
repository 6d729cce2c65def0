"""How a campaign or a hashtag spreads.  Pure maths on counts; event time, no clock.

Notation: count(w, t) is the number of posts in (t - w, t], w in seconds.
"""

from streams.spread.motion import Motion, acceleration, doubling_seconds, motion, velocity

__all__ = ["Motion", "acceleration", "doubling_seconds", "motion", "velocity"]

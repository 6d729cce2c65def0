"""How a campaign spreads, beside how fast: who causes it, who joins it, how wide it is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from math import log2
from typing import Final

#: Upper bounds of the classes of generation intervals, in seconds.  The last is a day: 92 % of
#: reposts come within an hour (Sysomos 2010), so what comes later than a day says little.
GENERATION_BOUNDS: Final = (60, 300, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)

_MINUTE: Final = 60


def generation_bound(delay: float) -> int | None:
    """The class of a delay in seconds: the smallest bound not below it; None above the last.

    A child that is older than its parent (clocks differ) is in the first class.
    """
    at = bisect_left(GENERATION_BOUNDS, delay)
    return GENERATION_BOUNDS[at] if at < len(GENERATION_BOUNDS) else None


def amplification(kinds: Mapping[str, int]) -> float | None:
    """Reposts per post that is none: 0 or more; None where there is no such post.

    `kinds`: posts by kind in one window.  Source: the amplification rate of social media analytics
    (A. Kaushik 2011: shares per post), with everything that is no repost as a post.
    """
    own = sum(kinds.values()) - kinds.get("repost", 0)
    return kinds.get("repost", 0) / own if own > 0 else None


def new_author_ratio(before: int, together: int, authors: int) -> float | None:
    """Share of a window's authors who had not posted in the time before it, 0 to 1.

    `before`: distinct authors of the time before, `together`: of both, `authors`: of the window;
    estimates, so the share is clipped.  None without authors.  Source: |A \\ B| = |A u B| - |B|.
    """
    if authors <= 0:
        return None
    return min(1.0, max(0.0, (together - before) / authors))


def entropy_bits(counts: Collection[int]) -> float | None:
    """Shannon's entropy H = -sum p log2 p of the shares, in bits; None where nothing is counted.

    0 where all posts are of one value, log2(n) where they are spread evenly over n: 2^H is the
    number of equally large languages (or countries) that would be as mixed.  Source: C. Shannon, A
    Mathematical Theory of Communication, 1948.
    """
    total = sum(counts)
    if total <= 0:
        return None
    # + 0.0: not "-0.0" for one value
    return -sum(n / total * log2(n / total) for n in counts if n > 0) + 0.0


def reproduction(
    children: int, posts: Sequence[int], delays: Mapping[int, int], window: int
) -> float | None:
    """Reproduction number R: posts caused by a post in the course of a generation; 0 or more.

    R = C / sum over minutes t of the window, over s of I(t - s) g(s): the children C (reposts and
    replies) of the window over the posts whose children they can be, weighted by g, the
    distribution of generation intervals.  Above 1 the campaign keeps itself going.

    `posts`: of each minute, oldest first, ending with the window; what is older than the series is
    taken as no post.  `delays`: children by class of `GENERATION_BOUNDS`, from which g is taken
    as even within a class.  `window` in seconds, whole minutes.  None where nothing can be said.
    Source: Cori et al., A New Framework and Software to Estimate Time-Varying Reproduction Numbers
    During Epidemics, 2013, equation 1 without the prior.
    """
    known = sum(delays.get(bound, 0) for bound in GENERATION_BOUNDS)
    if known <= 0:
        return None
    sums = [0, *accumulate(posts)]
    end, minutes = len(posts), window // _MINUTE

    def until(minute: float) -> float:
        """Posts before a (fractional) minute of the series."""
        low = min(max(minute, 0.0), float(end))
        whole = int(low)
        rest = (low - whole) * posts[whole] if whole < end else 0.0
        return sums[whole] + rest

    expected, lower = 0.0, 0
    for bound in GENERATION_BOUNDS:
        share = delays.get(bound, 0) / known
        if share:
            near, far = lower / _MINUTE, bound / _MINUTE
            for minute in range(end - minutes, end):
                middle = minute + 0.5  # children of a minute come in its middle on average
                exposed = until(middle - near) - until(middle - far)
                expected += share * exposed / (far - near)
        lower = bound
    return children / expected if expected > 0 else None


def arrivals(first: Mapping[str, float]) -> dict[str, float]:
    """Seconds from the first post of all to the first of each value (platform, language, ...)."""
    start = min(first.values(), default=0.0)
    return {value: at - start for value, at in first.items()}

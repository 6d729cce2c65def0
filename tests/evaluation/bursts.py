"""What the burst score is worth on labelled series of mentions.

    python -m tests.evaluation.bursts [--cross-validate] [--sensitivity]

prints, for each series and in all: windows caught, false alarms a week and series, mean delay; for
this detector, and beside it a plain EWMA with a Poisson floor, NAB's windowed Gaussian and, where
the package `sesd` is installed, Twitter's ADVec, each at
the threshold that serves it best within the budget of false alarms.  `--cross-validate` chooses the
threshold on all series but one, and prints what it is worth on that one.  `--sensitivity` changes
one parameter at a time, with the alarm where it is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from math import erfc, exp, log10, sqrt
from pathlib import Path
from typing import Final

from streams.spread.burst import ALARM, Burst, Parameters
from tests.evaluation.nab import Outcome, Series, judge, read, total

FOLDER: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "nab"
BUDGET: Final = 0.4  # false alarms a week and series
_WINDOW: Final = 6400  # NAB's windowedGaussian: size, and how often it moves
_STEP: Final = 10
_DAY: Final = 86_400.0
_HOUR: Final = 3600.0
VARIANTS: Final = {
    "as is": Parameters(),
    "memory of 4 days": Parameters(memory=4 * _DAY),
    "memory of 10 days": Parameters(memory=10 * _DAY),
    "exponent 0.2": Parameters(exponent=0.2),
    "exponent 0.3": Parameters(exponent=0.3),
    "windows to 3 h": Parameters(windows=(300.0, _HOUR, 3 * _HOUR)),
    "windows to 6 h": Parameters(windows=(300.0, _HOUR, 6 * _HOUR)),
    "and 15 min": Parameters(windows=(300.0, 900.0, _HOUR, 4 * _HOUR)),
    "without 5 min": Parameters(windows=(_HOUR, 4 * _HOUR)),
    "without 1 h": Parameters(windows=(300.0, 4 * _HOUR)),
    "least 1": Parameters(least=1.0),
    "least 50": Parameters(least=50.0),
}

Detector = Callable[[Series], list[float]]


def ours(series: Series, parameters: Parameters | None = None) -> list[float]:
    burst = Burst(series.step, parameters)
    return [burst.update(count) for count in series.counts]


def ewma(series: Series) -> list[float]:
    """Deviation from an exponentially weighted mean, with a Poisson floor; a memory of a day."""
    gain = 1 - exp(-series.step / 86_400)
    mean, variance, scores = 0.0, 0.0, []
    for seen, count in enumerate(series.counts):
        off = count - mean
        scores.append(off / sqrt(max(variance, mean, 1.0)) if seen >= 72 else 0.0)
        share = max(gain, 1 / (seen + 1))
        mean += share * off
        variance = (1 - share) * (variance + share * off * off)
    return scores


def windowed_gaussian(series: Series) -> list[float]:
    """NAB's detector of that name, from its description: -log10 of the upper tail of a Gaussian
    fitted to a sliding window (size 6400, moved by 10)."""
    window: list[int] = []
    waiting: list[int] = []
    mean, deviation = 0.0, 1.0
    scores = []
    for count in series.counts:
        tail = 0.5 * erfc((count - mean) / deviation / sqrt(2)) if len(window) > 72 else 1.0
        scores.append(-log10(max(tail, 1e-300)))
        if len(window) < _WINDOW:
            window.append(count)
            fit = True
        else:
            waiting.append(count)
            fit = len(waiting) >= _STEP
            if fit:
                window = window[_STEP:] + waiting
                waiting = []
        if fit:
            mean = sum(window) / len(window)
            spread = sum((one - mean) ** 2 for one in window) / len(window)
            deviation = max(sqrt(spread), 1e-6)
    return scores


def seasonal_esd(series: Series) -> list[float]:
    """Twitter's ADVec (S-H-ESD, Hochenbaum et al. 2017) by the package `sesd`: in pieces of two
    weeks as its long-term mode, each seen whole, so that it knows what comes after a bucket."""
    import numpy
    from sesd import seasonal_esd as find

    scores = [0.0] * len(series.counts)
    piece = int(14 * 86_400 / series.step)
    for first in range(0, len(series.counts), piece):
        counts = numpy.array(
            series.counts[max(0, min(first, len(scores) - piece)) :][:piece], float
        )
        offset = max(0, min(first, len(scores) - piece))
        usual = float(numpy.median(counts))
        found = find(counts, periodicity=int(86_400 / series.step), hybrid=True, max_anomalies=120)
        for rank, at in enumerate(found):
            if counts[at] > usual:
                scores[offset + int(at)] = max(scores[offset + int(at)], 1 / (1 + rank))
    return scores


DETECTORS: Final[dict[str, Detector]] = {
    "burst score": ours,
    "EWMA, Poisson floor": ewma,
    "windowedGaussian (NAB)": windowed_gaussian,
}


def thresholds(scores: Sequence[Sequence[float]], many: int = 80) -> list[float]:
    """Candidates: quantiles of the scores, denser towards the top."""
    ranked = sorted((one for of in scores for one in of), reverse=True)
    return sorted({ranked[min(len(ranked) - 1, int(5 * 1.08**n))] for n in range(many)})


def of_all(series: Sequence[Series], scores: Sequence[Sequence[float]], alarm: float) -> Outcome:
    """What `alarm` is worth on all series together."""
    return total([judge(s, of, alarm) for s, of in zip(series, scores, strict=True)])


def chosen(series: Sequence[Series], scores: Sequence[Sequence[float]]) -> float:
    """Most windows within the budget, then fewest false alarms."""

    def worth(alarm: float) -> tuple[int, float]:
        found = of_all(series, scores, alarm)
        within = found.false_per_week <= BUDGET
        return (found.caught if within else -1, -found.false_per_week)

    return max(thresholds(scores), key=worth)


def row(name: str, found: Outcome) -> str:
    return (
        f"  {name:<18}{found.caught:>4} of {found.windows:<4}{found.false_per_week:>8.2f} a week"
        f"{found.mean_delay / 3600:>8.1f} h\n"
    )


def detectors() -> dict[str, Detector]:
    """All that can be run here."""
    if find_spec("sesd") is None:
        sys.stdout.write("left out: Twitter's ADVec (pip install sesd)\n")
        return DETECTORS
    return {**DETECTORS, "ADVec (Twitter), which sees the future": seasonal_esd}


def main() -> None:
    parser = argparse.ArgumentParser(description="What the burst score is worth.")
    parser.add_argument("--cross-validate", action="store_true")
    parser.add_argument("--sensitivity", action="store_true")
    given = parser.parse_args()
    if not FOLDER.is_dir():
        sys.stdout.write(f"no labelled series at {FOLDER}: nothing to score\n")
        return
    series = read(FOLDER)
    for name, detector in detectors().items():
        scores = [detector(one) for one in series]
        alarm = ALARM if detector is ours else chosen(series, scores)
        sys.stdout.write(f"{name}, alarm from {alarm:.3g}: windows caught, false alarms, delay\n")
        outcomes = [judge(one, of, alarm) for one, of in zip(series, scores, strict=True)]
        for one, found in zip(series, outcomes, strict=True):
            sys.stdout.write(row(one.name, found))
        sys.stdout.write(row("all", total(outcomes)))
    if given.cross_validate:
        sys.stdout.write("burst score, the alarm chosen on the other four series\n")
        scores = [ours(one) for one in series]
        outcomes = []
        for left in range(len(series)):
            rest = [n for n in range(len(series)) if n != left]
            alarm = chosen([series[n] for n in rest], [scores[n] for n in rest])
            outcomes.append(judge(series[left], scores[left], alarm))
            sys.stdout.write(row(f"{series[left].name} {alarm:.2f}", outcomes[-1]))
        sys.stdout.write(row("all", total(outcomes)))
    if given.sensitivity:
        sys.stdout.write("burst score, all series, one parameter or the alarm changed\n")
        for name, parameters in VARIANTS.items():
            scores = [ours(one, parameters) for one in series]
            sys.stdout.write(row(name, of_all(series, scores, ALARM)))
        scores = [ours(one) for one in series]
        for alarm in (2.25, 2.5, 3.0, 3.25, 3.5):
            sys.stdout.write(row(f"alarm {alarm}", of_all(series, scores, alarm)))


if __name__ == "__main__":
    main()

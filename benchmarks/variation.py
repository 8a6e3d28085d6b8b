"""How often the board report calls a change more than noise: where nothing changed, and where something did.

`python benchmarks/variation.py` prints the tables of docs/board.md, the same at every run; `--smoke` tries each case a
few times, to see that it runs. Every case is judged by the report's own code, rule by rule.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cypp_etl.judgement.outlook.points import whole_units
from cypp_etl.judgement.outlook.variation import Noise, Ratio, Scale
from schemas.codes import Accumulation, Unit, Variation
from tests.support.series import noise_of_counts, noise_of_course

SEED = 20100401
TRIES = 5_000
PERCENT = Scale(Unit.PERCENT, 1, Accumulation.LATEST)
EVENTS = Scale(Unit.NUMBER, 0, Accumulation.SUM)
RATE = Scale(Unit.RATE, 1, Accumulation.LATEST)
RULES = ("a single point", "two out of three points", "a shift", "a trend")

Floats = npt.NDArray[np.float64]
Chance = np.random.Generator


def told_of_shares(chance: Chance, sizes: tuple[int, int], shares: tuple[float, float]) -> Noise:
    ratios = [Ratio(int(chance.binomial(size, share)), size) for size, share in zip(sizes, shares, strict=True)]
    return _told(PERCENT, [100 * one.numerator / one.denominator for one in ratios], ratios)


def told_of_events(chance: Chance, means: tuple[float, float]) -> Noise:
    figures = [float(chance.poisson(mean)) for mean in means]
    return _told(EVENTS, figures, [None, None])


def told_of_rates(chance: Chance, bases: tuple[int, int], means: tuple[float, float]) -> Noise:
    ratios = [Ratio(int(chance.poisson(mean)), base) for base, mean in zip(bases, means, strict=True)]
    return _told(RATE, [1000 * one.numerator / one.denominator for one in ratios], ratios)


def _told(scale: Scale, figures: list[float], ratios: list[Ratio | None] | list[Ratio]) -> Noise:
    now, before = _units(figures, scale.decimals)
    return noise_of_counts(scale, (figures[0], figures[1]), now - before, ratios)


def told_of_course(figures: Floats) -> Noise:
    """What the report says of the last quarter of a series without gaps."""
    units = _units(figures.tolist(), PERCENT.decimals)
    changes = [None] * 4 + [now - before for before, now in zip(units, units[4:], strict=False)]
    return noise_of_course(PERCENT, units, changes)


def _units(figures: list[float], decimals: int) -> list[int]:
    units: list[int] = whole_units(np.array(figures), np.full(len(figures), decimals)).tolist()
    return units


def level(chance: Chance, quarters: int) -> Floats:
    """A percentage that varies by a point about 60, each quarter by itself."""
    return 60 + chance.normal(0, 1, quarters)


def seasonal(chance: Chance, quarters: int) -> Floats:
    return level(chance, quarters) + np.resize([-15, 5, 15, -5], quarters)


def following(chance: Chance, quarters: int) -> Floats:
    """Half of what a quarter lies off 60 is still there in the next."""
    off = [chance.normal(0, 1)]
    for step in chance.normal(0, 1, quarters - 1):
        off.append(off[-1] / 2 + step)
    return 60 + np.array(off)


def rounded(chance: Chance, quarters: int) -> Floats:
    """A percentage that varies by less than it is rounded to."""
    return 60 + chance.normal(0, 0.05, quarters)


def moved(make: Callable[[Chance, int], Floats], by: float, running: int) -> Callable[[Chance, int], Floats]:
    """What a maker makes, with its last quarters higher."""

    def make_moved(chance: Chance, quarters: int) -> Floats:
        figures = make(chance, quarters)
        figures[-running:] += by
        return figures

    return make_moved


def falling(chance: Chance, quarters: int) -> Floats:
    """A level that falls by two points with each of its last four quarters."""
    figures = level(chance, quarters)
    figures[-4:] -= (2, 4, 6, 8)
    return figures


def climbing(by: float) -> Callable[[Chance, int], Floats]:
    """A level that rises a little with every quarter."""
    return lambda chance, quarters: level(chance, quarters) + by * np.arange(quarters)


def counted_cases() -> Iterator[tuple[str, str, Callable[[Chance], Noise]]]:
    """What is counted, what is true of it, and a try at it."""
    for sizes in ((20, 20), (50, 50), (200, 200), (1000, 1000), (20, 2000)):
        for share in (0.5, 0.9):
            what = f"{share:.0%} of {sizes[0]}, and of {sizes[1]}"
            yield what, "no change", lambda chance, s=sizes, p=share: told_of_shares(chance, s, (p, p))
    for sizes in ((50, 50), (200, 200), (1000, 1000)):
        what = f"60% of {sizes[0]}, 50% of {sizes[1]}"
        yield what, "a change", lambda chance, s=sizes: told_of_shares(chance, s, (0.6, 0.5))
    for mean in (8, 20, 50, 500):
        yield f"{mean} events a quarter", "no change", lambda chance, m=mean: told_of_events(chance, (m, m))
    for mean in (20, 50, 500):
        what = f"{mean * 3 // 2} events, {mean} before"
        yield what, "a change", lambda chance, m=mean: told_of_events(chance, (m * 1.5, m))
    for bases in ((1_000, 1_000), (1_000, 100_000), (100_000, 1_000)):
        what = f"2 events a 100, of {bases[0]:,} and of {bases[1]:,}"
        means = (bases[0] / 50, bases[1] / 50)
        yield what, "no change", lambda chance, b=bases, m=means: told_of_rates(chance, b, m)


COURSES: list[tuple[str, str, Callable[[Chance, int], Floats]]] = [
    ("a level that varies by a point (1 standard deviation)", "no change", level),
    ("the same, with seasons of 30 points", "no change", seasonal),
    ("the same, where half of a quarter's departure lasts into the next", "no change", following),
    ("a level that varies by half of the last decimal", "no change", rounded),
    ("up 5 points in this quarter", "a change", moved(level, 5, 1)),
    ("up 15 points in this quarter, with seasons of 30 points", "a change", moved(seasonal, 15, 1)),
    ("down 5 points for four quarters", "a change", moved(level, -5, 4)),
    ("down 2 points with each of four quarters", "a change", falling),
    ("up half a point with every quarter", "a change", climbing(0.5)),
    ("up a point with every quarter", "a change", climbing(1)),
]
QUARTERS = (11, 24)


def rule_of(told: Noise) -> str:
    """Which rule found a change; empty where none did."""
    if told.variation is not Variation.BEYOND:
        return ""
    return next((rule for rule in RULES if rule in told.method), "the test")


def shares_of(tell: Callable[[], Noise], tries: int) -> dict[str, float]:
    """How often each rule finds a change, and how often there is something to say at all."""
    told = [tell() for _ in range(tries)]
    said = {rule: sum(rule_of(one) == rule for one in told) / tries for rule in RULES}
    return said | {
        "beyond": sum(one.variation is Variation.BEYOND for one in told) / tries,
        "small": sum(one.variation is Variation.SMALL for one in told) / tries,
    }


def print_counted(chance: Chance, tries: int) -> None:
    print("| this year, and last | true is | beyond | small numbers |\n|---|---|---|---|")
    for what, truth, tell in counted_cases():
        said = shares_of(lambda tell=tell: tell(chance), tries)  # type: ignore[misc]
        print(f"| {what} | {truth} | {said['beyond']:.1%} | {said['small']:.1%} |")


def print_courses(chance: Chance, tries: int) -> None:
    print("| figures without counts | true is | quarters | single point | two of three | shift | trend | beyond |")
    print("|---|---|---|---|---|---|---|---|")
    for what, truth, make in COURSES:
        for quarters in QUARTERS:
            said = shares_of(lambda make=make, q=quarters: told_of_course(make(chance, q)), tries)  # type: ignore[misc]
            rules = " | ".join(f"{said[rule]:.1%}" for rule in (*RULES, "beyond"))
            print(f"| {what} | {truth} | {quarters} | {rules} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="try each case a few times only")
    tries = 20 if parser.parse_args().smoke else TRIES
    print_counted(np.random.default_rng(SEED), tries)
    print()
    print_courses(np.random.default_rng(SEED), tries)


if __name__ == "__main__":
    main()

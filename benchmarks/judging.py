"""Measures judging: every actual of a large warehouse at once, against the plain way, row by row.

`python benchmarks/judging.py` judges 1,250 partners x 40 indicators x 20 quarters; `--smoke` two partners, to see that
it runs. Both ways must agree on the sample, or it stops.
"""

import argparse
import resource
import sys
import time
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cypp_etl.judgement.judge import judge
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Banding, Figure, Indicator, Plan
from schemas.codes import Accumulation, Measure, Polarity, Unit

YEARS = range(2006, 2011)
INDICATORS = 40
SAMPLE = 2_000
BANDING = Banding(Decimal(10), 1, Decimal(5), Decimal(25), Decimal(5))

Figures = dict[tuple[str, str, str, Period], Decimal]


def leaf(number: int) -> Indicator:
    polarity = (Polarity.HIGH, Polarity.LOW)[number % 2]
    accumulation = (Accumulation.LATEST, Accumulation.LATEST, Accumulation.SUM)[number % 3]
    return Indicator(
        f"NI {number}", str(number), f"NI {number}", "", "PC", "", "", polarity, None, None, Unit.NUMBER,
        1, None, None, accumulation, 0, "", BANDING,
    )  # fmt: skip


def make_plan() -> Plan:
    """Forty leaves with a target and both comparators for every year."""
    leaves = {each.indicator: each for each in map(leaf, range(1, INDICATORS + 1))}
    measures = (Measure.TARGET, Measure.STATISTICAL_NEIGHBOURS, Measure.NATIONAL)
    figures = {
        (measure, name, Period(year)): Figure(Decimal("50.5"), None, "")
        for measure in measures
        for name in leaves
        for year in YEARS
    }
    return Plan("", {}, {}, {}, {}, {}, {}, leaves, figures, {}, {})


def make_figures(partners: int, plan: Plan) -> pd.DataFrame:
    """An actual for every partner, indicator and quarter, in random order; one in 200 has a break in series."""
    owners = [f"partner-{number}" for number in range(partners)]
    quarters = [Period(year, quarter).code for year in YEARS for quarter in range(1, 5)]
    names = ["partner_code", "indicator", "period"]
    frame = pd.MultiIndex.from_product([owners, list(plan.indicators), quarters], names=names).to_frame(index=False)
    chance = np.random.default_rng(20100401)
    frame["measure"] = Measure.ACTUAL.value
    frame["value"] = chance.integers(0, 1000, len(frame)) / 10
    frame["marker"] = pd.Series([None] * len(frame), dtype="object")
    frame["is_break"] = chance.random(len(frame)) < 0.005
    return frame.sample(frac=1, random_state=1).reset_index(drop=True)


def rounded(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def plain_judgement(partner: str, name: str, period: Period, known: Figures, plan: Plan) -> tuple[str, ...]:
    """One row judged by a plain program, without breaks and markers, which only makes it faster."""
    indicator = plan.indicators[name]
    places, sign = indicator.decimals, 1 if indicator.polarity is Polarity.HIGH else -1
    now = rounded(known["actual", partner, name, period], places)
    words = []
    for before in (known.get(("actual", partner, name, each)) for each in (period.years_later(-1), period.previous)):
        gain = None if before is None else sign * (now - rounded(before, places))
        words.append("no data" if gain is None else "improving" if gain > 0 else "declining" if gain else "no change")
    ours, share = now, Decimal(1)
    if indicator.accumulation is Accumulation.SUM:
        share = Decimal(period.quarter) / 4
        ours = sum((known["actual", partner, name, each] for each in period.quarters[: period.quarter]), Decimal())
    margins = indicator.banding
    for measure in (Measure.TARGET, Measure.STATISTICAL_NEIGHBOURS, Measure.NATIONAL):
        figure = plan.figure(measure, name, period.year)
        against = Decimal() if figure is None or figure.value is None else figure.value
        is_target = measure is Measure.TARGET
        # What is given for a year is spread over its quarters where they add up.
        against = rounded(rounded(against, places) * share, places)
        gain = sign * (rounded(ours, places) - against)
        tenth = abs(against) * margins.target_margin_percent / 100
        is_better = gain > max(tenth, Decimal("0.1")) if is_target else gain >= margins.comparator_margin
        words.append("worse" if gain < 0 else "better" if is_better else "within")
    return tuple(words)


def time_plain(figures: pd.DataFrame, plan: Plan) -> tuple[float, list[tuple[str, ...]]]:
    """CPU seconds per row of the plain way, over a sample, and its words; building its dictionary is not counted."""
    columns = ["measure", "partner_code", "indicator", "period", "value"]
    sample = figures[columns].head(SAMPLE)
    wanted = set(zip(sample["partner_code"], sample["indicator"], strict=True))
    near = figures[[pair in wanted for pair in zip(figures["partner_code"], figures["indicator"], strict=True)]]
    known: Figures = {
        (measure, partner, name, parse_period(period)): Decimal(repr(value))
        for measure, partner, name, period, value in near[columns].itertuples(index=False)
    }
    rows = [(partner, name, parse_period(period)) for _, partner, name, period, _ in sample.itertuples(index=False)]
    started = time.process_time()
    words = [plain_judgement(partner, name, period, known, plan) for partner, name, period in rows]
    return (time.process_time() - started) / len(rows), words


def check_agreement(judged: pd.DataFrame, words: list[tuple[str, ...]]) -> None:
    """Stop if the two ways differ, except by a break in series, which the plain way ignores."""
    columns = ["direction", "quarter_direction", "target_band", "statistical_neighbours_band", "national_band"]
    for row, plain in zip(judged[columns].head(len(words)).itertuples(index=False), words, strict=True):
        if any(ours not in (theirs, "not applicable") for ours, theirs in zip(row, plain, strict=True)):
            raise SystemExit(f"the two ways differ: {tuple(row)} and {plain}")


def best_of(runs: int, figures: pd.DataFrame, plan: Plan) -> float:
    """The fastest of several runs, in CPU seconds: other work on the machine must not count."""
    times = []
    for _ in range(runs):
        started = time.process_time()
        judge(figures, plan)
        times.append(time.process_time() - started)
    return min(times)


def peak_megabytes() -> float:
    """The peak memory of this process; Linux counts it in kibibytes, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="two partners only")
    partners = 2 if parser.parse_args().smoke else 1_250
    plan = make_plan()
    figures = make_figures(partners, plan)
    before = peak_megabytes()
    seconds = best_of(1 if partners == 2 else 3, figures, plan)
    peak = peak_megabytes()
    plain_seconds, words = time_plain(figures, plan)
    check_agreement(judge(figures, plan), words)
    plain = plain_seconds * len(figures)
    one_return = figures.head(13)
    print(f"rows judged             {len(figures):>12,}")
    print(f"judge, fastest run      {seconds:>12.2f} s   {len(figures) / seconds:>12,.0f} rows/s")
    print(f"row by row, scaled      {plain:>12.2f} s   {len(figures) / plain:>12,.0f} rows/s  (no breaks, no markers)")
    print(f"ratio                   {plain / seconds:>12.1f}")
    print(f"peak memory             {peak:>12.0f} MB  of which {before:.0f} MB before judging")
    for part in (10_000, 100_000) if partners > 2 else ():
        few = figures[figures["partner_code"].isin([f"partner-{each}" for each in range(part // 800)])]
        quickest = best_of(3, few, plan)
        print(f"{len(few):>9,} rows{quickest:>22.3f} s   {len(few) / quickest:>12,.0f} rows/s")
    print(f"13 rows, fastest of 50  {best_of(50, one_return, plan) * 1000:>12.2f} ms")


if __name__ == "__main__":
    main()

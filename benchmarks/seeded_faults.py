"""The seeded-fault trial: a workbook with any number of different errors yields exactly those findings.

`python benchmarks/seeded_faults.py --workbooks 1000` seeds faults of every code that a return workbook can have, in
random places and combinations, into good returns, and compares the findings one by one. It prints how
often each code was seeded, and every difference with the number that reproduces its workbook; status 1 if there is any.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.seeding import SEEDS, Good, Trial, make_good, seed_faults
from benchmarks.support.plans import PARTNER, make_plan
from cypp_etl.checking.checker import Checker, Received

TODAY = date(2012, 6, 30)
_LEAVES, _MILESTONES, _MOST_FAULTS = 26, 16, 12
_RETURNS = 10


def make_goods(folder: Path, count: int = _RETURNS) -> list[Good]:
    """Good returns of one partner, with random figures."""
    plan = make_plan(folder, _LEAVES, _MILESTONES)
    return [make_good(plan, PARTNER, random.Random(number)) for number in range(count)]


def make_trials(goods: list[Good], numbers: range) -> Iterator[tuple[int, Good, Trial]]:
    """A trial for each number, always the same: one fault in the first ones, of each code, then more and more."""
    codes = sorted(SEEDS)
    for number in numbers:
        chance, good = random.Random(number), goods[number % len(goods)]
        if number < len(codes):
            yield number, good, seed_faults(good, 1, chance, [codes[number]])
        else:
            yield number, good, seed_faults(good, chance.randint(2, _MOST_FAULTS), chance)


def differences(good: Good, trial: Trial) -> list[str]:
    """The findings of a trial's workbook that were not seeded, and the seeded faults that were not found."""
    received = Received("return.xlsx", trial.data, trial.folder_partner)
    return trial.differences(Checker(good.plan, trial.history, TODAY).check(received))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workbooks", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first workbook")
    options = parser.parse_args()
    seeded: Counter[str] = Counter()
    wrong = 0
    started = time.perf_counter()
    with TemporaryDirectory() as folder:
        goods = make_goods(Path(folder))
        for number, good, trial in make_trials(goods, range(options.first, options.first + options.workbooks)):
            seeded.update(code for code, _, _ in trial.expected)
            if found := differences(good, trial):
                wrong += 1
                print(f"workbook {number}: {'; '.join(found)}")
                print(f"    seeded: {', '.join(map(str, trial.expected))}")
    for code in sorted(SEEDS):
        print(f"{code:<28}{seeded[code]:>6}")
    faults, seconds = seeded.total(), time.perf_counter() - started
    print(f"{options.workbooks:,} workbooks, {faults:,} faults of {len(SEEDS)} codes: {wrong} differ ({seconds:.0f} s)")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

"""The seeded-fault trial: a workbook with any number of different errors yields exactly those findings.

`python benchmarks/seeded_faults.py --workbooks 1000` seeds faults of every code that a return workbook can have, in
random places and combinations, into good returns, and compares the findings one by one. It prints how
often each code was seeded, and every difference with the number that reproduces its workbook; status 1 if there is any.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.seeding import SEEDS
from tests.support.seeding.trials import differences, make_goods, make_trials


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

"""Folders of returns for a backfill: with and without partners, corrections, copies, errors, other files."""

import random
from pathlib import Path

from cypp_etl.plan.model import Plan
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.published_table import read_sample_table, write_published_table
from tests.support.returns import code_of_partner, make_national_plan, write_returns
from tests.support.seeding import make_good, seed_faults

PARTNERS = 4


def make_plan(folder: Path) -> Plan:
    """Every partner is compared with the mean of all, and those with returns are a group."""
    make_national_plan(folder, PARTNERS, indicators=7, milestones=3)
    own = [code_of_partner(number) for number in range(PARTNERS)]
    partners = (folder / "partners.csv").read_text(encoding="utf-8").splitlines()
    grouped = [f"{partners[0]},group_code", *(f"{row},{'g' * (row.split(',')[0] in own)}" for row in partners[1:])]
    (folder / "partners.csv").write_text("\n".join([*grouped, ""]), encoding="utf-8")
    figures = (folder / "figures.csv").read_text(encoding="utf-8").splitlines()
    given = [row for row in figures if not row.startswith("national,")]
    (folder / "figures.csv").write_text("\n".join([*given, ""]), encoding="utf-8")
    (folder / "groups.csv").write_text("group_code,group,parent_group\ng,All that return,\n", encoding="utf-8")
    (folder / "comparators.csv").write_text(
        "comparator,heading,method,bodies\nstatistical_neighbours,Neighbours,given,\nnational,All,mean,*\n"
        "median,Middle,median,own group\n",
        encoding="utf-8",
    )
    return read_plan(folder)


def make_folder(folder: Path, plan: Plan, seed: int) -> None:
    """Two years of every partner's returns, with errors and corrections; the same for the same seed."""
    chance = random.Random(seed)
    write_returns(folder, plan, PARTNERS, seed)
    for number in range(PARTNERS):
        own = folder / code_of_partner(number)
        good = make_good(plan, code_of_partner(number), chance)
        for name in range(chance.randrange(5)):
            trial = seed_faults(good, chance.randrange(4), chance)
            (own / f"{chance.randrange(2008, 2012)} {name}.xlsx").write_bytes(trial.data)
        # Late ones, copies of submissions in force or superseded, and files that no spreadsheet program wrote.
        for source in chance.sample(sorted(own.iterdir()), 3):
            (own / f"{chance.choice('19')} copy of {source.name}").write_bytes(source.read_bytes())
        if chance.randrange(2):
            (own / "2010 broken.xlsx").write_bytes(b"PK\x03\x04 and no more")
    others = folder / "from the old share"
    others.mkdir()
    for number, source in enumerate(chance.sample(sorted(folder.glob("*/20*.xlsx")), 6)):
        (others / f"{number}.xlsx").write_bytes(source.read_bytes())
    (others / "3 the Board's table.xlsx").write_bytes(write_published_table(read_sample_table(), "text"))

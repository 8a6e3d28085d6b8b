"""A plan of any number of partners and measures, made from a seed, with figures and neighbours for each partner."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from random import Random

from cypp_etl.plan.tables import read_files
from schemas.plan import SCHEMAS

YEARS = ("2008-09", "2009-10", "2010-11")
OWNED_MEASURES = ("target", "history", "statistical_neighbours")
NEIGHBOURS = 10
GROUPS = 9

# The kinds of measures, in rotation: polarity, unit, decimals, minimum, maximum, accumulation, multiplier.
_KINDS = (
    ("HIGH", "percent", "1", "0", "100", "latest", "100"),
    ("LOW", "number", "0", "0", "", "sum", "0"),
    ("LOW", "rate", "2", "0", "", "latest", "1000"),
)


def many_bodies(partners: int, measures: int, seed: int, *, own_figures: bool = True) -> Mapping[str, bytes]:
    """The files of a plan in which every partner owes every measure, without actions and milestones.

    Args:
        partners: how many partners, in nine groups that are part of one.
        measures: how many measures.
        seed: the same seed gives the same plan.
        own_figures: whether each partner has targets, history and a comparator of its own, rather than every partner
            the same.
    """
    chance = Random(seed)
    codes = [code_of_body(number) for number in range(partners)]
    names = [f"M {number}" for number in range(1, measures + 1)]
    owners = codes if own_figures else [""]
    comparators = [("statistical_neighbours", "Given", "given", ""), ("national", "All", "mean", "*")]
    comparators += [("neighbours_mean", "Neighbours", "mean", "neighbours"), ("region", "Region", "ratio", "own group")]
    files = read_files(None)
    rows: dict[str, Iterable[Sequence[str]]] = {
        "partners.csv": (
            ("partner_code", "partner", "group_code"),
            *((code, f"Body {code}", f"g{number % GROUPS}") for number, code in enumerate(codes)),
        ),
        "groups.csv": (
            ("group_code", "group", "parent_group"),
            ("all", "All", ""),
            *((f"g{number}", f"Group {number}", "all") for number in range(GROUPS)),
        ),
        "comparators.csv": (("comparator", "heading", "method", "bodies"), *comparators),
        "neighbours.csv": (
            ("partner_code", "neighbour"),
            *(
                (code, other)
                for code in codes
                for other in chance.sample([one for one in codes if one != code], min(NEIGHBOURS, partners - 1))
            ),
        ),
        "indicators.csv": (
            SCHEMAS["indicators.csv"].required,
            *(
                (name, str(number), name, "", "EA", f"Measure {number}", kind[0], "", "", *kind[1:], "")
                for number, name in enumerate(names, start=1)
                for kind in [_KINDS[number % len(_KINDS)]]
            ),
        ),
        "figures.csv": (
            ("measure", "indicator", "period", "value", "source", "partner_code"),
            *(
                (measure, name, year, str(chance.randint(1, 99)), "made up", owner)
                for owner in owners
                for name in names
                for measure, year in zip(OWNED_MEASURES, reversed(YEARS), strict=True)
            ),
        ),
        "owed_by.csv": (("partner_code", "indicator"), *(("*", name) for name in names)),
        "actions.csv": (_header(files, "actions.csv"),),
        "milestones.csv": (_header(files, "milestones.csv"),),
        "banding.csv": (_header(files, "banding.csv"), _first_row(files, "banding.csv")),
    }
    return {**files, **{name: _text(lines) for name, lines in rows.items()}}


def code_of_body(number: int) -> str:
    return f"body{number:03}"


def _header(files: Mapping[str, bytes], name: str) -> list[str]:
    return next(csv.reader(io.StringIO(files[name].decode())))


def _first_row(files: Mapping[str, bytes], name: str) -> list[str]:
    return list(csv.reader(io.StringIO(files[name].decode())))[1]


def _text(rows: Iterable[Sequence[str]]) -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode()

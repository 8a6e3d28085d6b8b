"""Rows of figures judged, as they come from the warehouse or as somebody might return them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from cypp_etl.plan.model import Plan
from schemas.codes import Qualifier
from warehouse.figures.affected import Reach, is_reached
from warehouse.figures.comparisons import COMPARED
from warehouse.schema.tables import JUDGED

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from cypp_etl.judgement.judge import Columns

KEY = ("partner_code", "indicator", "period")
"""The columns of a judgement's key."""

FIGURE = (
    *("partner_code", "indicator", "period", "measure", "value", "marker", "qualifiers"),
    *("numerator", "denominator", "observation_id"),
)
"""The columns of an observation that it is judged by."""

Key: TypeAlias = tuple[str, str, str]
"""Partner, indicator and period of a judgement: plain tuples, because there are thousands in a batch."""


@dataclass(frozen=True, slots=True)
class JudgedRows:
    """What was judged, and compared, of some figures.

    `columns` are those of `FIGURE` and `JUDGED` by name, all of one length. `comparisons` are columns as they
    are stored, none if there are none.
    """

    columns: Mapping[str, Sequence[Any]]
    comparisons: Mapping[str, Sequence[Any]]

    def by_key(self, *outlook: Sequence[Any]) -> dict[Key, tuple[Any, ...]]:
        """By key, the observation judged, the judged values, and what is told besides."""
        keys = zip(*(self.columns[name] for name in KEY), strict=True)
        judged = (plain(self.columns[name]) for name in ("observation_id", *JUDGED))
        return dict(zip(keys, zip(*judged, *outlook, strict=True), strict=True))


def judge_rows(
    rows: Sequence[tuple[Any, ...]], plan: Plan, reaches: Mapping[tuple[str, str], Reach] | None = None
) -> dict[Key, tuple[Any, ...]]:
    """By key, the observation judged, with the judged values: all of them, or only those affected.

    A row has the columns of `FIGURE`.
    """
    return judge_and_compare_rows(rows, plan, reaches).by_key()


def judge_and_compare_rows(
    rows: Sequence[tuple[Any, ...]], plan: Plan, reaches: Mapping[tuple[str, str], Reach] | None = None
) -> JudgedRows:
    """Judge and compare figures, as `judge_rows` does."""
    rows = [row for row in rows if row[1] in plan.indicators]
    if not rows:
        return JudgedRows(dict.fromkeys((*FIGURE, *JUDGED), ()), {})
    # pandas takes half a second to import, which reading the warehouse should not cost.
    from cypp_etl.judgement.entries import Figures  # noqa: PLC0415
    from cypp_etl.judgement.judge import judge_figures  # noqa: PLC0415

    judged, compared = judge_figures(Figures(**_columns_of(rows)), plan)
    reached = _are_reached(rows, judged["place"], reaches)
    wanted = reached[judged["place"]]
    of_rows = [rows[place] for place in judged["place"][wanted].tolist()]
    figures = zip(FIGURE, zip(*of_rows, strict=True) if of_rows else ((),) * len(FIGURE), strict=True)
    columns = {**dict(figures), **{name: judged[name][wanted] for name in JUDGED}}
    if not compared:
        return JudgedRows(columns, {})
    wanted = reached[compared["place"]]
    own = [rows[place] for place in compared["place"][wanted].tolist()]
    keys = {name: [row[place] for row in own] for place, name in enumerate(KEY)}
    said = {name: plain(compared[name][wanted]) for name in ("comparator", *COMPARED)}
    return JudgedRows(columns, keys | said)


def _are_reached(
    rows: Sequence[tuple[Any, ...]], judged: "npt.NDArray[Any]", reaches: Mapping[tuple[str, str], Reach] | None
) -> "npt.NDArray[Any]":
    """For each row, whether it is one of those judged, given by their places, and among those affected."""
    import numpy as np  # noqa: PLC0415 - as in `judge_and_compare_rows`

    reached = np.zeros(len(rows), dtype=np.bool_)
    if reaches is None:
        reached[judged] = True
    else:
        reached[judged] = [is_reached(reaches, row, row[2]) for row in map(rows.__getitem__, judged.tolist())]
    return reached


def plain(column: "npt.NDArray[Any] | pd.Series[Any] | Sequence[Any]") -> Sequence[Any]:
    """A judged column in the form that the database stores and returns."""
    if isinstance(column, Sequence):
        return column
    values: list[Any] = column.tolist()
    if column.dtype == "float64":
        return [None if number != number else number for number in values]  # noqa: PLR0124 - NaN alone
    return values


def figures_frame(rows: Sequence[tuple[Any, ...]]) -> "pd.DataFrame":
    """Rows with the columns of `FIGURE` as a frame for `judge`, numbered in their order."""
    import pandas as pd  # noqa: PLC0415

    # With its own type given, pandas does not check each value for being text.
    return pd.DataFrame({name: pd.Series(column, dtype=column.dtype) for name, column in _columns_of(rows).items()})


def _columns_of(rows: Sequence[tuple[Any, ...]]) -> "Columns":
    """Rows with the columns of `FIGURE` as the columns of `Figures`."""
    import numpy as np  # noqa: PLC0415

    columns = dict(zip(FIGURE, zip(*rows, strict=True), strict=True))
    is_break = {qualifiers: Qualifier.BREAK.value in qualifiers for qualifiers in set(columns["qualifiers"])}
    return {
        **{name: np.array(columns[name], dtype=object) for name in (*KEY, "measure", "marker")},
        **{name: np.array(columns[name], dtype=np.float64) for name in ("value", "numerator", "denominator")},
        "is_break": np.array([is_break[qualifiers] for qualifiers in columns["qualifiers"]], dtype=np.bool_),
    }

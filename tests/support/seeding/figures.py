"""Seeds of faults in figures: as typed, in their meaning, and against earlier figures."""

from collections.abc import Callable
from datetime import date

from cypp_etl.checked_return import KnownFigure
from cypp_etl.figure_keys import FigureKey
from cypp_etl.plan.model import Indicator
from schemas.codes import Measure, Unit
from tests.support.seeding.drafts import PERIOD, Draft, Place, seeds

# The columns that must not change for a figure to be judged as it is.
_FIGURE = "actual marker numerator denominator comment"


def _is_any(_leaf: Indicator) -> bool:
    return True


def _is_percent(leaf: Indicator) -> bool:
    return leaf.unit is Unit.PERCENT


def _is_whole(leaf: Indicator) -> bool:
    return leaf.decimals == 0


def _has_ratio(leaf: Indicator) -> bool:
    return leaf.multiplier != 0 and not leaf.sub


def _type_figure(draft: Draft, code: str, value: object, suits: Callable[[Indicator], bool] = _is_any) -> Place:
    """Overwrite a random figure; if it is one of a pair, the other one has nothing to be compared with."""
    row = draft.pick("indicators", _FIGURE, lambda leaf: suits(leaf) and not leaf.sub)
    draft.cell("indicators", row, "actual").value = value
    return draft.place(code, "indicators", row, "actual")


@seeds("value-missing")
def return_nothing(draft: Draft) -> Place:
    return _type_figure(draft, "value-missing", draft.chance.choice([None, "  ", "[p]"]))


@seeds("cell-merged")
def merge_with_the_row_above(draft: Draft) -> Place:
    row = draft.pick("indicators", _FIGURE, suits_row=lambda row: row > 2)
    draft.take([("indicators", row - 1, "actual")], False)
    above, cell = draft.cell("indicators", row - 1, "actual"), draft.cell("indicators", row, "actual")
    above.parent.merge_cells(f"{above.coordinate}:{cell.coordinate}")
    return draft.place("cell-merged", "indicators", row, "actual")


@seeds("date-not-number")
def let_excel_make_a_date(draft: Draft) -> Place:
    return _type_figure(draft, "date-not-number", date(2010, 10, 3))


@seeds("error-value")
def divide_by_nothing(draft: Draft) -> Place:
    return _type_figure(draft, "error-value", draft.chance.choice(["#DIV/0!", "#N/A", "#REF!"]))


@seeds("formula-not-calculated")
def leave_a_formula(draft: Draft) -> Place:
    return _type_figure(draft, "formula-not-calculated", "=I2/J2")


@seeds("not-a-figure")
def type_words(draft: Draft) -> Place:
    return _type_figure(draft, "not-a-figure", draft.chance.choice(["awaiting data", "n.k.", True]))


@seeds("text-with-digits")
def type_words_and_digits(draft: Draft) -> Place:
    return _type_figure(draft, "text-with-digits", draft.chance.choice(["about 70", "1 406", "212 (provisional)"]))


@seeds("number-with-bound")
def type_a_bound(draft: Draft) -> Place:
    return _type_figure(draft, "number-with-bound", draft.chance.choice(["<5", "≤ 5%", "> 1,000"]))


@seeds("unusual-digits")
def type_wide_digits(draft: Draft) -> Place:
    return _type_figure(draft, "unusual-digits", draft.chance.choice(["７１", "٧١"]))


@seeds("decimal-comma")
def type_a_decimal_comma(draft: Draft) -> Place:
    return _type_figure(draft, "decimal-comma", draft.chance.choice(["71,5", "12,34%"]))


@seeds("thousands-point")
def type_a_thousands_point(draft: Draft) -> Place:
    return _type_figure(draft, "thousands-point", draft.chance.choice(["1.406", 1.406]), _is_whole)


@seeds("figure-too-large")
def type_a_case_number(draft: Draft) -> Place:
    return _type_figure(draft, "figure-too-large", draft.chance.choice([1e15, 1e300, "9" * 400]))


@seeds("percent-not-expected")
def type_a_percentage_for_a_number(draft: Draft) -> Place:
    return _type_figure(draft, "percent-not-expected", "28%", lambda leaf: not _is_percent(leaf))


@seeds("currency-not-expected")
def type_money_for_a_number(draft: Draft) -> Place:
    return _type_figure(draft, "currency-not-expected", draft.chance.choice(["£28", "-€5 [p]"]), lambda leaf: True)


@seeds("percent-or-points")
def type_a_share(draft: Draft) -> Place:
    return _type_figure(draft, "percent-or-points", "0.4", _is_percent)


@seeds("out-of-range")
def type_too_much_or_too_little(draft: Draft) -> Place:
    return _type_figure(draft, "out-of-range", draft.chance.choice(["-3%", "7100%", "101%"]), _is_percent)


@seeds("count-not-whole")
def count_half_a_person(draft: Draft) -> Place:
    return _type_figure(draft, "count-not-whole", 212.5, lambda leaf: leaf.unit is Unit.NUMBER)


def _change_figure(
    draft: Draft, code: str, suits: Callable[[Indicator], bool], change: Callable[[Indicator], object]
) -> Place:
    """Give a figure another value of its own kind, and no numerator and denominator to differ from."""
    # In a closed period no other figure may change.
    draft.take(["values"], False)
    row = draft.pick("indicators", _FIGURE, lambda leaf: suits(leaf) and not leaf.sub)
    for column in ("numerator", "denominator"):
        draft.cell("indicators", row, column).value = None
    draft.cell("indicators", row, "actual").value = change(draft.leaves[row - 2])
    return draft.place(code, "indicators", row, "actual")


def _as_text(draft: Draft, leaf: Indicator, share_of_known: str) -> str:
    """A share of the earlier figure, as a person would type it."""
    value = round(draft.known(leaf) * 100) * int(share_of_known) / 10_000
    return f"{value:.{leaf.decimals}f}" + ("%" if _is_percent(leaf) else "")


@seeds("stray-spaces")
def paste_with_spaces(draft: Draft) -> Place:
    spaces = draft.chance.choice([" {}", "{}\u00a0", "\t{}\n"])
    return _change_figure(draft, "stray-spaces", _is_any, lambda leaf: spaces.format(_as_text(draft, leaf, "110")))


@seeds("percent-assumed")
def forget_the_sign(draft: Draft) -> Place:
    return _change_figure(draft, "percent-assumed", _is_percent, lambda leaf: _as_text(draft, leaf, "110").rstrip("%"))


@seeds("too-many-decimals")
def keep_every_decimal(draft: Draft) -> Place:
    def change(leaf: Indicator) -> str:
        return _as_text(draft, leaf, "110").replace("%", "") + "0001" + ("%" if _is_percent(leaf) else "")

    return _change_figure(draft, "too-many-decimals", lambda leaf: leaf.decimals > 0, change)


@seeds("unchanged")
def copy_the_last_figure(draft: Draft) -> Place:
    draft.take(["period"], False)
    return _change_figure(draft, "unchanged", _is_any, lambda leaf: _as_text(draft, leaf, "100"))


@seeds("large-change")
def halve_a_figure(draft: Draft) -> Place:
    draft.take(["period"], False)
    return _change_figure(draft, "large-change", _is_any, lambda leaf: _as_text(draft, leaf, "50"))


@seeds("large-change-explained")
def halve_a_figure_and_say_why(draft: Draft) -> Place:
    draft.take(["period"], False)
    place = _change_figure(draft, "large-change-explained", _is_any, lambda leaf: _as_text(draft, leaf, "50"))
    draft.cell("indicators", int(place[2][1:]), "comment").value = "New provider from July."
    return place


@seeds("population-differs")
def count_other_people(draft: Draft) -> Place:
    draft.take(["period", "values"], False)
    row = draft.pick("indicators", _FIGURE, lambda leaf: leaf.sub == "a")
    draft.take([("indicators", row + 1, column) for column in _FIGURE.split()])
    draft.take([("indicators", row + 1, "")], False)
    number = draft.known(draft.leaves[row - 2])
    draft.cell("indicators", row, "actual").value = round(float(number) * 1.2)
    return draft.place("population-differs", "indicators", row + 1, "actual")


@seeds("closed-period-changed")
def correct_a_closed_period(draft: Draft) -> Place:
    """Every other figure is what it was; this one was not known: one that was, and is changed, holds the return."""
    draft.take(["period"], False)
    draft.take(["values"])
    row = draft.pick("indicators", "actual marker", lambda leaf: not leaf.sub)
    for leaf in draft.leaves:
        if leaf is not draft.leaves[row - 2]:
            known = draft.good.answers.indicators[leaf.indicator].actual
            key = FigureKey(draft.good.partner_code, leaf.indicator, Measure.ACTUAL, PERIOD.code)
            draft.figures[key] = KnownFigure(known, None)
    draft.closed.add(PERIOD)
    return draft.place("closed-period-changed", "indicators", row, "actual")


# --- Beside the figure ----------------------------------------------------------------------------------------


def _type_beside(
    draft: Draft, code: str, column: str, value: object, suits: Callable[[Indicator], bool] = _is_any
) -> Place:
    row = draft.pick("indicators", _FIGURE, suits)
    draft.cell("indicators", row, column).value = value
    return draft.place(code, "indicators", row, column)


@seeds("value-and-marker")
def return_two_things(draft: Draft) -> Place:
    return _type_beside(draft, "value-and-marker", "marker", draft.chance.choice(["N/A", "[ C ]", "tbc", "–"]))


@seeds("marker-unknown")
def make_up_a_marker(draft: Draft) -> Place:
    return _type_beside(draft, "marker-unknown", "marker", draft.chance.choice(["pending", "71", 5]))


@seeds("percent-in-fraction")
def type_a_percentage_for_a_count(draft: Draft) -> Place:
    return _type_beside(draft, "percent-in-fraction", "numerator", "71%", _has_ratio)


@seeds("numerator-negative")
def count_less_than_nobody(draft: Draft) -> Place:
    return _type_beside(draft, "numerator-negative", "numerator", -3, _has_ratio)


@seeds("denominator-not-positive")
def count_out_of_nobody(draft: Draft) -> Place:
    return _type_beside(draft, "denominator-not-positive", "denominator", draft.chance.choice([0, -5]), _has_ratio)


@seeds("ratio-incomplete")
def leave_out_the_denominator(draft: Draft) -> Place:
    return _type_beside(draft, "ratio-incomplete", "denominator", None, _has_ratio)


@seeds("ratio-differs")
def count_again(draft: Draft) -> Place:
    row = draft.pick("indicators", _FIGURE, _has_ratio)
    draft.cell("indicators", row, "numerator").value *= 2
    return draft.place("ratio-differs", "indicators", row, "actual")


@seeds("personal-data")
def name_a_child(draft: Draft) -> Place:
    part, column = draft.chance.choice(
        [("indicators", "comment"), ("milestones", "evidence"), ("milestones", "reason")]
    )
    row = draft.pick(part, f"{column} review" if column == "reason" else column)
    draft.cell(part, row, column).value = draft.chance.choice(
        ["See the case of J., born 3 May 1999", "NHS number 943 476 5919", "Ask sam@example.org", "Ring 01709 382121"]
    )
    return draft.place("personal-data", part, row, column)

"""Seeds of faults in the references of rows, and of missing and surplus rows."""

from tests.support.seeding.drafts import Draft, Place, seeds, type_over


@seeds("row-without-ref")
def clear_a_ref(draft: Draft) -> Place:
    return type_over(draft, "row-without-ref", "indicators", "ref", None, also="sub definition")


@seeds("indicator-unknown")
def mistype_a_ref(draft: Draft) -> Place:
    return type_over(draft, "indicator-unknown", "indicators", "ref", "LI 999", also="sub definition")


@seeds("reference-not-text")
def type_a_number_for_a_ref(draft: Draft) -> Place:
    return type_over(draft, "reference-not-text", "indicators", "ref", 9.5, also="sub definition")


@seeds("text-around-table")
def write_a_note_below(draft: Draft) -> Place:
    part, column, text = draft.chance.choice(
        [
            ("indicators", "ref", "* Provisional figures; source: 2010 records"),
            ("indicators", "comment", "."),
            ("milestones", "milestone", "Agreed by the Board on 3 July"),
            ("milestones", "reason", "-"),
        ]
    )
    row = draft.new_row(part) + 3
    draft.cell(part, row, column).value = text
    return draft.place("text-around-table", part, row, column)


@seeds("total-returned")
def add_a_total(draft: Draft) -> Place:
    row = draft.new_row("indicators")
    column = draft.chance.choice(["ref", "definition"])
    draft.cell("indicators", row, column).value = draft.chance.choice(["Total", "TOTAL (all)", "Sub-total:"])
    draft.cell("indicators", row, "actual").value = 71
    return draft.place("total-returned", "indicators", row, column)


@seeds("sub-indicator-unknown")
def mistype_a_sub(draft: Draft) -> Place:
    text = draft.chance.choice(["x", "ab"])
    return type_over(draft, "sub-indicator-unknown", "indicators", "sub", text, also="ref definition")


@seeds("reference-differs")
def type_another_ref(draft: Draft) -> Place:
    part, column, also = draft.chance.choice(
        [("indicators", "ref", "sub definition"), ("milestones", "milestone", "description")]
    )
    row = draft.pick(part, f"{column} {also}", lambda leaf: not leaf.sub)
    others = [leaf.indicator for leaf in draft.leaves if not leaf.sub]
    others = others if part == "indicators" else [known.milestone for known in draft.milestones]
    cell = draft.cell(part, row, column)
    cell.value = draft.chance.choice([other for other in others if other != cell.value])
    return draft.place("reference-differs", part, row, column)


@seeds("indicator-twice")
def copy_a_row(draft: Draft) -> Place:
    return _copy_row(draft, "indicator-twice", "indicators", "ref")


@seeds("milestone-twice")
def copy_a_milestone(draft: Draft) -> Place:
    return _copy_row(draft, "milestone-twice", "milestones", "milestone")


def _copy_row(draft: Draft, code: str, part: str, column: str) -> Place:
    copied = draft.new_row(part)
    row = draft.pick_row(part)
    for cell in draft.workbook[draft.cell(part, 1, column).parent.title][row]:
        copy = cell.parent.cell(copied, cell.column, cell.value)
        copy.number_format = cell.number_format
    return draft.place(code, part, copied, column)


def _lose_row(draft: Draft, code: str, part: str, row: int) -> Place:
    sheet = draft.cell(part, 1, "ref" if part == "indicators" else "milestone").parent
    for cell in sheet[row]:
        cell.value = None
    return code, sheet.title, ""


@seeds("indicator-missing")
def lose_an_indicator(draft: Draft) -> Place:
    row = draft.pick_row("indicators", lambda leaf: not leaf.sub)
    return _lose_row(draft, "indicator-missing", "indicators", row)


@seeds("sub-indicator-missing")
def lose_a_part(draft: Draft) -> Place:
    row = draft.pick_row("indicators", lambda leaf: leaf.sub == "a")
    # The other sub-indicator must be present for this.
    draft.take([("indicators", row + 1, ""), *[("indicators", row + 1, name) for name in ("ref", "sub")]], False)
    return _lose_row(draft, "sub-indicator-missing", "indicators", row)


@seeds("milestone-missing")
def lose_a_milestone(draft: Draft) -> Place:
    return _lose_row(draft, "milestone-missing", "milestones", draft.pick_row("milestones"))


@seeds("indicator-not-owed")
def add_anothers_indicator(draft: Draft) -> Place:
    row = draft.new_row("indicators")
    for column, text in (("ref", "NI 19"), ("good_performance", "LOW"), ("unit", "rate"), ("actual", 0.5)):
        draft.cell("indicators", row, column).value = text
    return draft.place("indicator-not-owed", "indicators", row, "ref")


@seeds("milestone-not-owed")
def add_anothers_milestone(draft: Draft) -> Place:
    row = draft.new_row("milestones")
    draft.cell("milestones", row, "milestone").value = "PC4-E2-M1"
    draft.cell("milestones", row, "status").value = "On track"
    return draft.place("milestone-not-owed", "milestones", row, "milestone")


@seeds("parent-has-value")
def give_a_parent_a_figure(draft: Draft) -> Place:
    row = draft.new_row("indicators")
    parent = next(leaf for leaf in draft.leaves if leaf.sub)
    draft.cell("indicators", row, "ref").value = parent.indicator_ref
    draft.cell("indicators", row, "good_performance").value = parent.polarity.value
    draft.cell("indicators", row, "actual").value = 71
    return draft.place("parent-has-value", "indicators", row, "actual")


@seeds("milestone-unknown")
def mistype_a_milestone(draft: Draft) -> Place:
    return type_over(draft, "milestone-unknown", "milestones", "milestone", "EA1-E1-M99", also="description")


@seeds("row-without-milestone")
def clear_a_milestone(draft: Draft) -> Place:
    return type_over(draft, "row-without-milestone", "milestones", "milestone", None, also="description")


@seeds("good-performance-unknown")
def mistype_good_performance(draft: Draft) -> Place:
    text = draft.chance.choice(["HIHG", "up", None])
    return type_over(draft, "good-performance-unknown", "indicators", "good_performance", text)


@seeds("good-performance-differs")
def turn_good_performance(draft: Draft) -> Place:
    row = draft.pick("indicators", "good_performance")
    cell = draft.cell("indicators", row, "good_performance")
    cell.value = "LOW" if cell.value == "HIGH" else "HIGH"
    return draft.place("good-performance-differs", "indicators", row, "good_performance")


@seeds("unit-differs")
def type_another_unit(draft: Draft) -> Place:
    return type_over(draft, "unit-differs", "indicators", "unit", draft.chance.choice(["kg", None]))


@seeds("target-differs")
def type_another_target(draft: Draft) -> Place:
    draft.take(["period"], False)
    return type_over(draft, "target-differs", "indicators", "target", 0.123)

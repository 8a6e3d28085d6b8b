"""Seeds of faults in sheets, in the cover and in headings."""

from datetime import date, timedelta

from openpyxl.comments import Comment

from tests.support.seeding.drafts import PERIOD, Draft, Place, seeds

INDICATORS, MILESTONES = "Indicators", "Milestones"


# --- The file -------------------------------------------------------------------------------------------------


@seeds("sheet-missing")
def lose_a_sheet(draft: Draft) -> Place:
    part, name = draft.chance.choice([("indicators", INDICATORS), ("milestones", MILESTONES)])
    draft.take(draft.sheet_cells(part))
    del draft.workbook[name]
    return "sheet-missing", name, ""


@seeds("sheet-renamed")
def rename_a_sheet(draft: Draft) -> Place:
    part, name = draft.chance.choice([("indicators", INDICATORS), ("milestones", MILESTONES)])
    # Cells of a sheet are expected by its usual name.
    draft.take(draft.sheet_cells(part))
    draft.workbook[name].title = "Q3 figures"
    return "sheet-renamed", "Q3 figures", ""


@seeds("sheet-twice")
def keep_an_earlier_draft(draft: Draft) -> Place:
    draft.take(["indicators"], False)
    draft.workbook.create_sheet("Indicator").append(["Ref", "an earlier draft"])
    return "sheet-twice", "Indicator", ""


@seeds("second-return")
def add_another_return(draft: Draft) -> Place:
    draft.take(["Return (2)"])
    # Where the return's own table is gone, the other's is taken for it.
    draft.take(["indicators"], False)
    # Written and not copied: other seeds may have changed the sheets, or taken them away.
    cover, table = (draft.workbook.create_sheet(f"{name} (2)") for name in ("Return", INDICATORS))
    for row in (("Partner code", "police"), ("Period", "2010-11Q2"), ("Email", "returns@police.example")):
        cover.append(row)
    table.append(["Ref", "Sub", "Good performance", "Actual", "Marker"])
    table.append(["NI 43", "", "LOW", "5.0%", ""])
    return "second-return", "Return (2)", "B1"


@seeds("sheet-not-read")
def add_workings(draft: Draft) -> Place:
    draft.take(["Workings"])
    draft.workbook.create_sheet("Workings").append(["How it was worked out", 71])
    return "sheet-not-read", "Workings", ""


@seeds("hidden-sheet")
def hide_workings(draft: Draft) -> Place:
    draft.take(["Old workings"])
    sheet = draft.workbook.create_sheet("Old workings")
    sheet.append(["How it was worked out", 71])
    sheet.sheet_state = "hidden"
    return "hidden-sheet", "Old workings", ""


@seeds("personal-data-sheet")
def leave_cases_behind(draft: Draft) -> Place:
    draft.take(["Cases"])
    sheet = draft.workbook.create_sheet("Cases")
    sheet.append(["Case", "Surname"])
    sheet.append([1, "Smith"])
    return "personal-data-sheet", "Cases", "B1"


@seeds("hidden-row")
def hide_a_row(draft: Draft) -> Place:
    part, name = draft.chance.choice([("indicators", INDICATORS), ("milestones", MILESTONES)])
    row = draft.pick(part, "hidden")
    draft.workbook[name].row_dimensions[row].hidden = True
    return "hidden-row", name, f"A{row}"


@seeds("hidden-column")
def hide_a_column(draft: Draft) -> Place:
    draft.take(["hidden column"])
    draft.take(["indicators"], False)
    draft.workbook[INDICATORS].column_dimensions["C"].hidden = True
    return "hidden-column", INDICATORS, "C1"


@seeds("cell-comment")
def write_to_a_colleague(draft: Draft) -> Place:
    part, name = draft.chance.choice([("indicators", INDICATORS), ("milestones", MILESTONES)])
    row = draft.pick(part, "comment box")
    draft.workbook[name].cell(row, 2).comment = Comment("Check with finance before sending.", "A colleague")
    return "cell-comment", name, f"B{row}"


@seeds("cell-link")
def link_to_a_folder(draft: Draft) -> Place:
    part, name = draft.chance.choice([("indicators", INDICATORS), ("milestones", MILESTONES)])
    row = draft.pick(part, "link")
    cell = draft.workbook[name].cell(row, 1)
    # openpyxl writes the address into a blank cell.
    said = cell.value
    cell.hyperlink = "file:///workings/draft.xlsx"
    cell.value = said
    return "cell-link", name, f"A{row}"


@seeds("template-differs")
def use_an_old_template(draft: Draft) -> Place:
    draft.workbook["_meta"]["B2"] = "0" * 64
    return "template-differs", "", ""


# --- The cover ------------------------------------------------------------------------------------------------


def _type_on_cover(draft: Draft, code: str, label: str, text: object) -> Place:
    draft.take([("cover", 0, label)])
    cell = draft.cell("cover", 0, label)
    cell.value = text
    return code, "Return", cell.coordinate


@seeds("partner-code-missing")
def clear_the_partner(draft: Draft) -> Place:
    return _type_on_cover(draft, "partner-code-missing", "partner_code", None)


@seeds("partner-unknown")
def mistype_the_partner(draft: Draft) -> Place:
    return _type_on_cover(draft, "partner-unknown", "partner_code", "eats")


@seeds("partner-not-folder")
def drop_in_another_folder(draft: Draft) -> Place:
    place = _type_on_cover(draft, "partner-not-folder", "partner_code", draft.good.partner_code)
    draft.folder_partner = "nhs"
    return place


@seeds("period-missing")
def clear_the_period(draft: Draft) -> Place:
    draft.take(["period"])
    return _type_on_cover(draft, "period-missing", "period", None)


@seeds("period-unreadable")
def mistype_the_period(draft: Draft) -> Place:
    draft.take(["period"])
    return _type_on_cover(draft, "period-unreadable", "period", "Autumn 2010")


@seeds("period-ambiguous")
def name_a_quarter_of_some_year(draft: Draft) -> Place:
    draft.take(["period"])
    return _type_on_cover(draft, "period-ambiguous", "period", "Q3 2010")


@seeds("period-is-date")
def let_excel_make_a_date(draft: Draft) -> Place:
    draft.take(["period"])
    return _type_on_cover(draft, "period-is-date", "period", date(2010, 11, 1))


@seeds("period-is-number")
def let_excel_work_it_out(draft: Draft) -> Place:
    draft.take(["period"])
    return _type_on_cover(draft, "period-is-number", "period", 182.7)


@seeds("period-unknown")
def name_a_far_period(draft: Draft) -> Place:
    draft.take(["period"])
    return _type_on_cover(draft, "period-unknown", "period", "2031-32Q1")


@seeds("period-not-open")
def come_too_early(draft: Draft) -> Place:
    draft.take(["period"])
    return _type_on_cover(draft, "period-not-open", "period", "2012-13 Q4")


@seeds("date-not-a-day")
def date_by_the_year(draft: Draft) -> Place:
    return _type_on_cover(draft, "date-not-a-day", "date", draft.chance.choice([2010, "July", "31/06/2010"]))


@seeds("date-before-period")
def keep_an_old_date(draft: Draft) -> Place:
    draft.take(["period"], False)
    old = draft.chance.choice([PERIOD.first_day - timedelta(days=1), "20 July 2009"])
    return _type_on_cover(draft, "date-before-period", "date", old)


@seeds("date-to-come")
def mistype_the_year(draft: Draft) -> Place:
    draft.take(["period"], False)
    return _type_on_cover(draft, "date-to-come", "date", draft.chance.choice([date(2099, 1, 20), "20 January 2101"]))


@seeds("partner-name-differs")
def take_the_form_of_another(draft: Draft) -> Place:
    draft.take([("cover", 0, "partner_code")], False)
    others = [one.partner for code, one in draft.good.plan.partners.items() if code != draft.good.partner_code]
    return _type_on_cover(draft, "partner-name-differs", "partner", draft.chance.choice(others))


@seeds("email-not-an-address")
def refer_to_another_cell(draft: Draft) -> Place:
    text = draft.chance.choice(["see above", "not an email", "returns at example.org"])
    return _type_on_cover(draft, "email-not-an-address", "email", text)


@seeds("prepared-by-missing")
def stay_nameless(draft: Draft) -> Place:
    return _type_on_cover(draft, "prepared-by-missing", "prepared_by", " ")


# --- Headings -------------------------------------------------------------------------------------------------


@seeds("headings-not-found")
def lose_the_headings(draft: Draft) -> Place:
    part, name = draft.chance.choice([("indicators", INDICATORS), ("milestones", MILESTONES)])
    draft.take(draft.sheet_cells(part))
    for cell in draft.workbook[name][1]:
        cell.value = None
    return "headings-not-found", name, ""


@seeds("heading-missing")
def lose_a_heading(draft: Draft) -> Place:
    part, column = draft.chance.choice(
        [
            ("indicators", "good_performance"),
            ("indicators", "marker"),
            ("milestones", "status"),
            ("milestones", "review"),
        ]
    )
    draft.take(draft.column_cells(part, column))
    draft.take([part], False)
    # Where a heading is missing, no column without one is asked about.
    draft.take(["a column's heading"] if part == "indicators" else [])
    heading = draft.cell(part, 1, column)
    heading.value = None
    return "heading-missing", heading.parent.title, "A1"


@seeds("heading-misspelt")
def misspell_a_heading(draft: Draft) -> Place:
    part, column = draft.chance.choice([("indicators", "actual"), ("milestones", "evidence"), ("indicators", "ref")])
    draft.take([(part, 1, column)])
    draft.take([part], False)
    heading = draft.cell(part, 1, column)
    heading.value = {"actual": "Actaul", "evidence": "Evidense", "ref": "Reff"}[column]
    return draft.place("heading-misspelt", part, 1, column)


def _add_heading(draft: Draft, code: str, text: str) -> Place:
    draft.take([("indicators", 1, code)])
    draft.take(["indicators"], False)
    sheet = draft.workbook[INDICATORS]
    cell = sheet.cell(1, sheet.max_column + 1, text)
    return code, INDICATORS, cell.coordinate


@seeds("heading-unknown")
def add_a_column(draft: Draft) -> Place:
    return _add_heading(draft, "heading-unknown", "Q3 draft")


@seeds("column-without-heading")
def add_a_column_of_figures(draft: Draft) -> Place:
    draft.take(["a column's heading"])
    row = draft.pick("indicators", "figure")
    sheet = draft.workbook[INDICATORS]
    cell = sheet.cell(row, sheet.max_column + 2, 71.5)
    return "column-without-heading", INDICATORS, cell.coordinate


@seeds("heading-twice")
def repeat_a_heading(draft: Draft) -> Place:
    return _add_heading(draft, "heading-twice", "Numerator")

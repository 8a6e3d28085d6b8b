"""The forms of other bodies, saved again by LibreOffice: all by one plan, each recognised, each figure in its cell."""

import shutil
import subprocess
from datetime import date

import pytest

from cypp_etl.checked_return import History
from cypp_etl.checking.checker import Checker, Received
from tests.support import forms
from tests.support.layouts import plan_with_layouts, workbook_of

TODAY = date(2011, 7, 12)
# What reads them: file, layout, and the folder that it came from.
FORMS = {
    "quarters": (workbook_of({"Sheet1": forms.QUARTERS_FORM}), "yos"),
    "years": (workbook_of({"Measures": forms.YEARS_FORM}, {"Measures": forms.YEARS_MERGED}), "yos"),
    "outcomes": (workbook_of(forms.OUTCOMES_FORM, forms.OUTCOMES_MERGED), "cyps"),
    "one page": (workbook_of({"Page": forms.LABELS_FORM}), "police"),
    "flat": (workbook_of({"Data": forms.flat_form(row for row in forms.FLAT_ROWS if row[0] == "yos")}), "yos"),
}


@pytest.fixture(scope="module")
def checker():
    kinds = ("QUARTERS", "YEARS", "OUTCOMES", "LABELS", "FLAT")
    sheets, columns = (
        [row for kind in kinds for row in getattr(forms, f"{kind}_{table}")] for table in ("SHEETS", "COLUMNS")
    )
    return Checker(plan_with_layouts(sheets, columns, forms.OUTCOMES_CHANGES), History(), TODAY)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Every form as an OpenDocument sheet, and that as a workbook again."""
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    folder = tmp_path_factory.mktemp("office")
    for name, (data, _) in FORMS.items():
        (folder / f"{name}.xlsx").write_bytes(data)
    command = ["soffice", f"-env:UserInstallation=file://{folder}/office", "--headless", "--convert-to"]
    for kind, sources, into in (("ods", "*.xlsx", folder), ("xlsx", "*.ods", folder / "again")):
        files = [str(file) for file in sorted(folder.glob(sources))]
        subprocess.run([*command, kind, "--outdir", str(into), *files], check=True, capture_output=True, timeout=120)
    return folder


@pytest.mark.parametrize("name", FORMS)
def test_one_plan_tells_all_forms_apart(checker, name):
    data, folder = FORMS[name]
    assert checker.check(Received("return.xlsx", data, folder)).layout == name


@pytest.mark.parametrize("kind", ["ods", "xlsx"])
@pytest.mark.parametrize("name", FORMS)
def test_a_form_saved_by_libreoffice_says_the_same(checker, saved, name, kind):
    data, folder = FORMS[name]
    path = saved / f"{name}.ods" if kind == "ods" else saved / "again" / f"{name}.xlsx"
    ours, theirs = (checker.check(Received(f"{name}.{kind}", each, folder)) for each in (data, path.read_bytes()))
    assert theirs.layout == name
    assert theirs.observations == ours.observations
    assert ours.observations
    assert [(one.code, one.cell) for one in theirs.findings] == [(one.code, one.cell) for one in ours.findings]

"""Help for a return's entry cells: input messages, drop-down lists, ranges.

It is only an aid: the checks never rely on it, because copy and paste bypasses it.
"""

from datetime import date
from decimal import Decimal

from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.datavalidation import DataValidation

from cypp_etl.decimals import decimal_text, range_text
from cypp_etl.layout import Prompt, read_prompts
from cypp_etl.phrases import date_text
from cypp_etl.plan.model import Indicator
from cypp_etl.templates.openpyxl_styles import cell_number
from schemas.codes import MilestoneStatus, Review, Unit
from schemas.markers import read_markers

_EXAMPLES = {Unit.PERCENT: Decimal("12.3456"), Unit.DAYS: Decimal("12.3456")}
_EXAMPLE = Decimal("1234.5678")


def guard_actual(indicator: Indicator, address: str) -> DataValidation:
    """Text is allowed, because it may be a marker; a number outside the indicator's range gets a warning."""
    prompt = read_prompts()["indicators", "actual", indicator.unit]
    example = _EXAMPLES.get(indicator.unit, _EXAMPLE)
    bounds = range_text(indicator.minimum, indicator.maximum, indicator.unit, indicator.currency)
    guard = _guard(
        prompt,
        example=decimal_text(example, indicator.decimals, indicator.unit, indicator.currency),
        bounds=f"{bounds} {indicator.unit_words}".rstrip(),
    )
    tests = [
        f"{address}{sign}{cell_number(bound, indicator.unit).normalize():f}"
        for sign, bound in ((">=", indicator.minimum), ("<=", indicator.maximum))
        if bound is not None
    ]
    if tests:
        guard.type, guard.errorStyle = "custom", "warning"
        guard.formula1 = f"OR(ISTEXT({address}),AND({','.join(tests)}))"
    else:
        guard.showErrorMessage, guard.error, guard.errorTitle = False, None, None
    guard.add(address)
    return guard


def guard_part_of_fraction(column: str, cells: str) -> DataValidation:
    """A numerator is a number, a denominator is above zero; anything else gets a warning."""
    guard = _guard(read_prompts()["indicators", column, ""])
    guard.type, guard.errorStyle, guard.formula1 = "decimal", "warning", "0"
    guard.operator = "greaterThan" if column == "denominator" else "greaterThanOrEqual"
    guard.add(cells)
    return guard


def guard_marker(cells: str) -> DataValidation:
    """A list of the markers that we write; other accepted ones can be typed after a warning."""
    offered = [known.spelling for known in read_markers() if known.meaning]
    return _guard_choice(read_prompts()["indicators", "marker", ""], offered, cells, error_style="warning")


def guard_status(cells: str) -> DataValidation:
    """A list of the statuses of a milestone, and no other word."""
    return _guard_choice(read_prompts()["milestones", "status", ""], list(MilestoneStatus), cells, error_style="stop")


def guard_review(cells: str) -> DataValidation:
    """A list of the possible decisions of a review, and no other word."""
    return _guard_choice(read_prompts()["milestones", "review", ""], list(Review), cells, error_style="stop")


def guard_date(earliest: date, cells: str) -> DataValidation:
    """A date from the day on which returns open; an earlier one, or text, gets a warning."""
    words = date_text(earliest)
    guard = _guard(read_prompts()["cover", "date", ""], example=words, bounds=f"{words} on")
    guard.type, guard.errorStyle, guard.operator = "date", "warning", "greaterThanOrEqual"
    guard.formula1 = str(int(to_excel(earliest)))
    guard.add(cells)
    return guard


def prompt_only(part: str, column: str, cells: str) -> DataValidation:
    """Free text with a word of advice."""
    guard = _guard(read_prompts()[part, column, ""])
    guard.add(cells)
    return guard


def _guard(prompt: Prompt, **words: str) -> DataValidation:
    return DataValidation(
        promptTitle=prompt.title,
        prompt=prompt.prompt.format(**words),
        errorTitle=prompt.title if prompt.error else None,
        error=prompt.error.format(**words) or None,
        showInputMessage=True,
        showErrorMessage=bool(prompt.error),
        allow_blank=True,
    )


def _guard_choice(prompt: Prompt, choices: list[str], cells: str, *, error_style: str) -> DataValidation:
    guard = _guard(prompt)
    guard.type, guard.errorStyle = "list", error_style
    guard.formula1 = '"' + ",".join(choices) + '"'
    guard.add(cells)
    return guard

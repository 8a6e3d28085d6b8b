"""What the command line prints: results as JSON or as text."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cypp_etl.checked_return import CheckedReturn, status_of
from cypp_etl.findings import Finding
from cypp_etl.personal import shown_path
from flows.cli.terminal import say, say_json
from flows.storage.files import path_as_text
from schemas.codes import SubmissionStatus

if TYPE_CHECKING:
    from flows.deployments.sweep_inbox import Swept

# The limits for findings of one cause: how many are shown in full, and how many more only by their places.
_SHOWN_ALIKE, _NAMED_ALIKE = 3, 50


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one file, as `--json` writes it."""

    file: str
    partner: str
    period: str
    status: str
    findings: tuple[Finding, ...]


def as_result(checked: CheckedReturn, status: SubmissionStatus | None = None) -> Result:
    """The result of a check, or of an ingestion that ended with a status."""
    period = checked.period.code if checked.period else ""
    return Result(checked.file, checked.partner_code, period, (status or status_of(checked)).value, checked.findings)


def show_results(results: list[Result], as_json: bool) -> None:
    """Print results, one object per line or one paragraph per file."""
    for result in results:
        if as_json:
            say_json(result)
        else:
            _show_result(result)


def show_swept(swept: "Swept", as_json: bool) -> int:
    """Print what a sweep did, and give the exit status."""
    results = [as_result(one.checked, one.recorded.status) for _, one in swept.ingested]
    show_results(results, as_json)
    for path, message in swept.failed:
        if as_json:
            failed = Result(path_as_text(path), "", "", SubmissionStatus.FAILED.value, ())
            say_json(failed)
        say(f"{path_as_text(path)}: failed, and is left in place: {message}", err=True)
    for waiting in swept.left:
        say(f"{path_as_text(waiting.path)}: left in place: {waiting.reason}", err=True)
    if not as_json:
        counts = sorted(Counter(result.status for result in results).items())
        counts += [("failed", len(swept.failed)), ("left in place", len(swept.left))]
        summary = ", ".join(f"{count} {status}" for status, count in counts if count)
        say(summary or "Nothing was waiting.")
    is_skipped = any(waiting.is_folder for waiting in swept.left)
    return exit_status((result.status for result in results), has_failed=bool(swept.failed), is_skipped=is_skipped)


def exit_status(statuses: Iterable[str], *, has_failed: bool, is_skipped: bool = False) -> int:
    """The exit status of an ingestion: 2 if any file could not be ingested, 1 if any is not accepted, 0 otherwise.

    `is_skipped` says that files were passed over, and so are not accepted either.
    """
    if has_failed:
        return 2
    not_accepted = (SubmissionStatus.REJECTED.value, SubmissionStatus.HELD.value)
    return int(is_skipped or any(status in not_accepted for status in statuses))


def _show_result(result: Result) -> None:
    whose = ", ".join(filter(None, (result.partner, result.period)))
    say(f"{shown_path(result.file)}: {result.status}" + (f" ({whose})" if whose else ""))
    alike: dict[str, list[Finding]] = {}
    for finding in result.findings:
        alike.setdefault(finding.code, []).append(finding)
    for findings in alike.values():
        for finding in findings[:_SHOWN_ALIKE]:
            place = _place(finding)
            say(f"  {finding.severity.value:5} {place + ': ' if place else ''}{finding.message}")
            say(f"        {finding.fix}")
        if more := findings[_SHOWN_ALIKE:]:
            places = ", ".join(_place(finding) for finding in more[:_NAMED_ALIKE])
            say(f"        The same at {places}" + (", and more" if more[_NAMED_ALIKE:] else ""))


def _place(finding: Finding) -> str:
    return f"{finding.sheet}!{finding.cell}" if finding.cell else finding.sheet

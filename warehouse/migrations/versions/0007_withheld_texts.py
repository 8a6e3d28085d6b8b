"""Free text that may hold personal data is withheld: a mark replaces it, and the text is in a separate table."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import sqlalchemy as sa
from alembic import op

# The rule of today, and not a copy as it was at this revision: what is recognised now must not stay in sight.
from cypp_etl.personal import MARK, is_personal_name, kinds_in, shown_file_name, shown_path

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_ROWS_AT_ONCE = 10_000

_OBSERVATION = sa.table(
    "observation",
    *(sa.column(name) for name in ("observation_id", "submission_id", "comment", "sheet", "cell", "recorded_at")),
)
_REPORT = sa.table(
    "milestone_report",
    *(sa.column(name) for name in ("milestone_report_id", "submission_id", "evidence", "reason", "sheet", "cell")),
    sa.column("recorded_at"),
)
_FINDING = sa.table("finding", *(sa.column(name) for name in ("finding_id", "sheet", "value", "message", "fix")))
_SUBMISSION = sa.table("submission", *(sa.column(name) for name in ("submission_id", "file", "file_name")))
_WITHHELD = sa.table(
    "withheld_text",
    *(sa.column(name) for name in ("submission_id", "sheet", "cell", "mark", "text", "recorded_at")),
)
_SHEET_MARK = "[sheet name withheld]"


def upgrade() -> None:
    """Add the tables, and withhold what was recorded before."""
    _create_tables()
    connection = op.get_bind()
    for row, column in chain(
        _texts(connection, _OBSERVATION, "comment"),
        _texts(connection, _REPORT, "evidence"),
        _texts(connection, _REPORT, "reason"),
    ):
        _withhold(connection, row, column)
    _mark_findings(connection)
    _mark_names(connection)
    _mark_sheets(connection)


def _create_tables() -> None:
    key = ("submission_id", "sheet", "cell")
    op.create_table(
        "withheld_text",
        sa.Column("submission_id", _ID, nullable=False, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("sheet", "cell", "mark", "text")),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_withheld_text"),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.submission_id"], name="fk_withheld_text_submission_id"),
    )
    op.create_table(
        "text_release",
        sa.Column("submission_id", _ID, nullable=False, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("sheet", "cell", "released_by", "reason")),
        sa.Column("released_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_text_release"),
        sa.ForeignKeyConstraint(key, [f"withheld_text.{name}" for name in key], name="fk_text_release_text"),
    )


def _texts(connection: sa.Connection, table: Any, column: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The rows whose text may hold personal data; all are read before any is changed."""
    query = sa.select(table).where(table.c[column] != "").execution_options(yield_per=_ROWS_AT_ONCE)
    found = [dict(row) for row in connection.execute(query).mappings() if kinds_in(row[column])]
    yield from ((row | {"table": table}, column) for row in found)


def _withhold(connection: sa.Connection, row: dict[str, Any], column: str) -> None:
    """Store a text and replace it by a mark. Its column was not recorded: only its row is known."""
    table = row["table"]
    sheet = _SHEET_MARK if is_personal_name(row["sheet"]) else row["sheet"]
    number = "".join(character for character in row["cell"] if character.isdigit())
    cell = f"{column.capitalize()} in row {number}"
    mark = f"[withheld: may hold personal data; see {sheet}, {cell} of the workbook]"
    key = {"submission_id": row["submission_id"], "sheet": sheet, "cell": cell}
    held = sa.select(sa.func.count()).where(*(_WITHHELD.c[name] == value for name, value in key.items()))
    if not connection.scalar(held.select_from(_WITHHELD)):
        values = key | {"mark": mark, "text": row[column], "recorded_at": row["recorded_at"]}
        connection.execute(sa.insert(_WITHHELD).values(values))
    identity = next(iter(table.c))
    connection.execute(sa.update(table).where(identity == row[identity.name]).values({column: mark}))


def _mark_findings(connection: sa.Connection) -> None:
    columns = _FINDING.c
    query = sa.select(_FINDING).execution_options(yield_per=_ROWS_AT_ONCE)
    changed = [(row["finding_id"], values) for row in connection.execute(query).mappings() if (values := _marked(row))]
    for finding_id, values in changed:
        connection.execute(sa.update(_FINDING).where(columns.finding_id == finding_id).values(values))


def _marked(row: sa.RowMapping) -> dict[str, str]:
    """What of a finding must change; a message repeats what was typed, which may have been shortened in it."""
    values = {name: MARK for name in ("value", "message", "fix") if kinds_in(row[name])}
    if "value" in values:
        values["message"] = MARK
    if is_personal_name(row["sheet"]):
        values["sheet"] = _SHEET_MARK
    return values


def _mark_names(connection: sa.Connection) -> None:
    query = sa.select(_SUBMISSION).execution_options(yield_per=_ROWS_AT_ONCE)
    for row in connection.execute(query).mappings().all():
        values = {"file": shown_path(row["file"]), "file_name": shown_file_name(row["file_name"])}
        if values != {name: row[name] for name in values}:
            same = _SUBMISSION.c.submission_id == row["submission_id"]
            connection.execute(sa.update(_SUBMISSION).where(same).values(values))


def _mark_sheets(connection: sa.Connection) -> None:
    """Say of figures and reports no more than that the name of their sheet is withheld."""
    for table in (_OBSERVATION, _REPORT):
        named = connection.scalars(sa.select(table.c.sheet).distinct()).all()
        if personal := [name for name in named if is_personal_name(name)]:
            connection.execute(sa.update(table).where(table.c.sheet.in_(personal)).values(sheet=_SHEET_MARK))


def downgrade() -> None:
    """Refuse: what was withheld would be shown again."""
    raise NotImplementedError("The seventh revision cannot be undone: what is withheld would be shown again")

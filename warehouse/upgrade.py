"""Upgrades the warehouse: migrates the tables and recreates the views."""

from pathlib import Path

from sqlalchemy import Connection, Engine, delete, insert, inspect, select, text

from cypp_etl.judgement import RULES_VERSION
from warehouse.engine import reading, writing
from warehouse.migrations import HEAD
from warehouse.migrations.first_hours import is_whole, mend
from warehouse.schema.plan_tables import plan
from warehouse.schema.tables import rules_version, view_version
from warehouse.views.definitions import replace_views, views_sha256


class WarehouseStateError(RuntimeError):
    """This program cannot use the warehouse in its current state."""


class NoWarehouseError(WarehouseStateError):
    """There is no warehouse, or it is empty."""


class WarehouseTooOldError(WarehouseStateError):
    """The warehouse was created by an older version of this program, and has not been upgraded since."""


class WarehouseTooNewError(WarehouseStateError):
    """The warehouse was upgraded by a newer version of this program, and only that should write to it."""


def upgrade(engine: Engine) -> bool:
    """Upgrade the warehouse, in one transaction; return whether there was anything to do.

    Two processes may do so at once: the second waits, and then finds nothing to do.

    Raises:
        WarehouseTooNewError: the warehouse has a revision that this program does not know.
    """
    with reading(engine) as connection:
        if is_current(connection):
            return False
    with writing(engine) as connection:
        return upgrade_within(connection)


def upgrade_within(connection: Connection) -> bool:
    """Upgrade the warehouse, as `upgrade` does, in the caller's transaction of `engine.writing`.

    What is judged in it stays (`warehouse.recording.rules.judge_by_newer_rules` comes next); a new warehouse has
    nothing that older rules could have judged.

    Raises:
        WarehouseTooNewError: the warehouse has a revision that this program does not know.
    """
    if is_current(connection):
        return False
    # A view prevents changes to its tables, and a migration must not depend on a view's future text.
    replace_views(connection, lambda: _migrate(connection))
    connection.execute(delete(view_version))
    connection.execute(insert(view_version).values(sha256=views_sha256(connection.dialect.name)))
    if connection.scalar(select(plan.c.plan_id).limit(1)) is None:
        store_rules_version(connection)
    return True


def current_revision(connection: Connection) -> str | None:
    """The revision of the warehouse's tables, or None if there are none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def is_current(connection: Connection) -> bool:
    """Whether the tables and the views are the ones that this program expects.

    Raises:
        WarehouseTooNewError: the warehouse has a revision that this program does not know.
    """
    revision = current_revision(connection)
    if revision is not None and revision > HEAD:
        raise WarehouseTooNewError(
            f"The warehouse is newer than this program (revision {revision}; the program knows {HEAD}): "
            "install the newer version of the program"
        )
    if revision != HEAD:
        return False
    if connection.scalar(select(view_version.c.sha256)) != views_sha256(connection.dialect.name):
        return False
    return is_whole(connection)


def is_judged_by_these_rules(connection: Connection) -> bool:
    """Whether the judgements in force were made by the rules of this program, in a warehouse whose tables are current.

    Raises:
        WarehouseTooNewError: they were made by newer rules.
    """
    version = connection.scalar(select(rules_version.c.version)) or 0
    if version > RULES_VERSION:
        raise WarehouseTooNewError(
            f"The warehouse is newer than this program (judged by version {version} of the rules; the program knows "
            f"{RULES_VERSION}): install the newer version of the program"
        )
    return version == RULES_VERSION


def store_rules_version(connection: Connection) -> None:
    """Store that everything in force is judged by the rules of this program."""
    connection.execute(delete(rules_version))
    connection.execute(insert(rules_version).values(version=RULES_VERSION))


def require_current(connection: Connection) -> None:
    """Make sure that a warehouse can be read without an upgrade.

    Raises:
        NoWarehouseError: the database has none of our tables.
        WarehouseTooOldError: it must be upgraded first, or judged again.
        WarehouseTooNewError: it has a revision that this program does not know, or was judged by newer rules.
    """
    if current_revision(connection) is None:
        raise NoWarehouseError("There is nothing in the warehouse yet: run cypp upgrade, or ingest a return")
    if not (is_current(connection) and is_judged_by_these_rules(connection)):
        raise WarehouseTooOldError("The warehouse is older than this program: run cypp upgrade")


def _migrate(connection: Connection) -> None:
    mend(connection)
    # A quarter of a second to import, and rarely needed.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)

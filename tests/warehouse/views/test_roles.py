"""A reader can read the views and do nothing else: tested statement by statement."""

from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import Engine, create_engine, inspect, make_url, select, text
from sqlalchemy.exc import DBAPIError

from warehouse.engine import open_warehouse, writing
from warehouse.views.definitions import replace_views
from warehouse.views.dictionary import VIEWS
from warehouse.views.roles import ReaderError, make_reader
from warehouse.views.selectable import view

_numbers = count()
PASSWORD = "it's %s: \\secret"  # noqa: S105


@pytest.fixture
def owner(url: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    if not url.startswith("postgresql"):
        pytest.skip("SQLite has no roles")
    engine = open_warehouse(url)
    yield engine
    engine.dispose()


@pytest.fixture
def reader(owner: Engine) -> Iterator[Engine]:
    """A connection as the reader, under the name that the owner gave it."""
    name = f"reader_{next(_numbers)}"
    with writing(owner) as connection:
        assert make_reader(connection, name, PASSWORD)
    as_reader = make_url(owner.url).set(username=name, password=PASSWORD)
    engine = create_engine(as_reader, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()
    with writing(owner) as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {name}")
        connection.exec_driver_sql(f"DROP ROLE {name}")


def views(owner: Engine) -> list[str]:
    return [name for name in inspect(owner).get_view_names() if name.startswith("bi_")]


def test_a_reader_reads_every_view(owner: Engine, reader: Engine) -> None:
    with reader.connect() as connection:
        read = {name: connection.execute(select(view(name))).all() for name in views(owner)}
    assert read == {one.name: [] for one in VIEWS}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM submission",
        "SELECT * FROM alembic_version",
        "INSERT INTO period_closing VALUES ('2010-11Q1', 1)",
        "UPDATE submission SET status = 'accepted'",
        "DELETE FROM finding",
        "DELETE FROM bi_findings",
        "TRUNCATE judgement",
        "DROP VIEW bi_findings",
        "CREATE OR REPLACE VIEW bi_findings AS SELECT 1",
        "CREATE TABLE mine (a int)",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER DATABASE postgres SET work_mem = '1GB'",
        "COPY (SELECT 1) TO '/tmp/cypp-out'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT * FROM pg_authid",
        "SET ROLE postgres",
        "SELECT lo_create(0)",
        "SELECT lo_creat(-1)",
        "SELECT lo_from_bytea(0, 'kept here')",
        "SELECT lo_put(1, 0, 'kept here')",
    ],
)
def test_a_reader_can_do_nothing_else(reader: Engine, statement: str) -> None:
    with reader.connect() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        with pytest.raises(DBAPIError, match=r"permission denied|must be|not automatically updatable|cannot delete"):
            connection.exec_driver_sql(statement)


def test_a_reader_keeps_its_views_when_they_are_made_again(owner: Engine, reader: Engine) -> None:
    with writing(owner) as connection:
        replace_views(connection, lambda: None)
    test_a_reader_reads_every_view(owner, reader)


def test_an_earlier_reader_is_given_what_is_new(owner: Engine, reader: Engine) -> None:
    name = str(reader.url.username)
    with writing(owner) as connection:
        connection.exec_driver_sql(f"REVOKE SELECT ON bi_findings FROM {name}")  # noqa: S608
        assert not make_reader(connection, name, "")
    test_a_reader_reads_every_view(owner, reader)


def test_who_can_do_more_is_left_alone(owner: Engine) -> None:
    with writing(owner) as connection, pytest.raises(ReaderError, match="can do more"):
        make_reader(connection, str(connection.scalar(text("SELECT current_user"))), "x")


@pytest.mark.parametrize("name", ["", "Reader", "a b", 'x"; DROP TABLE submission; --', "pg_monitor", "x" * 64])
def test_a_name_that_will_not_do(owner: Engine, name: str) -> None:
    with writing(owner) as connection, pytest.raises(ReaderError, match="name"):
        make_reader(connection, name, "x")


def test_a_new_reader_needs_a_password(owner: Engine) -> None:
    with writing(owner) as connection, pytest.raises(ReaderError, match="CYPP_READER_PASSWORD"):
        make_reader(connection, "nobody", "")


@pytest.fixture
def clerk(owner: Engine) -> Iterator[Engine]:
    """A role that reads and writes the warehouse and owns nothing of it."""
    name = f"clerk_{next(_numbers)}"
    with writing(owner) as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
    engine = open_warehouse(make_url(owner.url).set(username=name).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with writing(owner) as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {owner.url.database} OWNER TO CURRENT_USER")
        connection.exec_driver_sql(f"REASSIGN OWNED BY {name} TO CURRENT_USER")
        connection.exec_driver_sql(f"DROP OWNED BY {name}")
        connection.exec_driver_sql(f"DROP ROLE {name}")


def lacks(engine: Engine, name: str) -> str:
    with writing(engine) as connection, pytest.raises(ReaderError, match="lacks the right to") as said:
        make_reader(connection, name, PASSWORD)
    return str(said.value)


def test_each_right_that_is_missing_is_named_with_what_gives_it(owner: Engine, clerk: Engine) -> None:
    """Doing what is said, one by one, ends with a reader."""
    name, database = clerk.url.username, owner.url.database
    reader = f"reader_{next(_numbers)}"
    first = [f"ALTER ROLE {name} CREATEROLE", f"ALTER DATABASE {database} OWNER TO {name}"]
    # Who owns the database owns the schema, unless somebody gave that away.
    named = [*first, f"ALTER SCHEMA public OWNER TO {name}"]
    assert [one for one in named if one not in lacks(clerk, reader)] == []
    for cure in first:
        with writing(owner) as connection:
            connection.exec_driver_sql(cure)
        assert cure not in lacks(clerk, reader)
    for one in sorted(views(owner)):
        assert f"ALTER VIEW {one} OWNER TO {name}" in lacks(clerk, reader)
        with writing(owner) as connection:
            connection.exec_driver_sql(f"ALTER VIEW {one} OWNER TO {name}")
    with writing(clerk) as connection:
        assert make_reader(connection, reader, PASSWORD)
    with writing(clerk) as connection:
        assert not make_reader(connection, reader, PASSWORD), "whose own role it is"
    with writing(owner) as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {reader}")
        connection.exec_driver_sql(f"DROP ROLE {reader}")


def test_a_reader_that_another_made_is_named(owner: Engine, reader: Engine, clerk: Engine) -> None:
    with writing(owner) as connection:
        connection.exec_driver_sql(f"ALTER ROLE {clerk.url.username} CREATEROLE")
    said = lacks(clerk, str(reader.url.username))
    assert f"GRANT {reader.url.username} TO {clerk.url.username} WITH ADMIN OPTION" in said


def test_a_sqlite_file_has_no_readers(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        with writing(engine) as connection, pytest.raises(ReaderError, match="permissions"):
            make_reader(connection, "x", "x")

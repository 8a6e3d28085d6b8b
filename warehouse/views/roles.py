"""A PostgreSQL role for BI tools: it can read the views, and nothing else."""

import re

from sqlalchemy import Connection, inspect, text

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")

# The functions that create and write large objects.
_LARGE_OBJECT_WRITERS = """
    SELECT CAST(CAST(oid AS regprocedure) AS text) FROM pg_proc WHERE pronamespace = CAST('pg_catalog' AS regnamespace)
    AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_open', 'lo_put', 'lo_truncate',
                    'lo_truncate64', 'lowrite')
"""


class ReaderError(ValueError):
    """The role cannot be created."""


def make_reader(connection: Connection, name: str, password: str) -> bool:
    """Create a role that can only read the views, or grant an existing one any new views; return whether it is new.

    Run by the owner of the database, in a transaction of `engine.writing`. Rights that PostgreSQL gives every role,
    temporary tables and, before version 15, tables in the schema, are revoked from all but the owner.

    Args:
        connection: the transaction.
        name: the role's name: lower-case letters, digits and underscores.
        password: its password; an empty one does not change an existing role's.

    Raises:
        ReaderError: this is not PostgreSQL, the name is not allowed, there is no password, or the role can do more.
        sqlalchemy.exc.ProgrammingError: we are not allowed to create roles.
    """
    if connection.dialect.name != "postgresql":
        raise ReaderError("Readers are roles of PostgreSQL; for SQLite, set the permissions of the file")
    if not _NAME.fullmatch(name) or name.startswith("pg_"):
        raise ReaderError(f"{name!r} cannot be a reader's name: use lower-case letters, digits and underscores")
    is_new = not _exists(connection, name)
    if is_new and not password:
        raise ReaderError("A new reader needs a password: set CYPP_READER_PASSWORD")
    if is_new:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN NOINHERIT")
    else:
        _refuse_the_powerful(connection, name)
    if password:
        # ALTER ROLE takes no parameters: the server itself quotes the password.
        quoted = connection.scalar(text("SELECT quote_literal(CAST(:password AS text))"), {"password": password})
        connection.exec_driver_sql(f"ALTER ROLE {name} PASSWORD {quoted}".replace("%", "%%"))
    _restrict(connection, name)
    for view in inspect(connection).get_view_names():
        if view.startswith("bi_"):
            connection.exec_driver_sql(f'GRANT SELECT ON "{view}" TO {name}')
    return is_new


def _restrict(connection: Connection, name: str) -> None:
    database, schema = connection.execute(
        text("SELECT quote_ident(current_database()), quote_ident(current_schema())")
    ).one()
    connection.exec_driver_sql(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
    connection.exec_driver_sql(f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC")
    # Large objects can be written without a table. If we do not own these functions, the server only warns.
    for function in connection.scalars(text(_LARGE_OBJECT_WRITERS)).all():
        connection.exec_driver_sql(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
    connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {database} TO {name}")
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
    connection.exec_driver_sql(f"ALTER ROLE {name} SET default_transaction_read_only = on")


def _exists(connection: Connection, name: str) -> bool:
    return connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}) is not None


def _refuse_the_powerful(connection: Connection, name: str) -> None:
    """Refuse a role that can do more: revoking its rights could break someone's work."""
    query = text(
        "SELECT r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls "
        "OR r.rolname = current_user "
        "OR EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = r.oid) "
        "OR EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid) "
        "OR EXISTS (SELECT 1 FROM information_schema.role_table_grants g WHERE g.grantee = r.rolname "
        "AND NOT (g.privilege_type = 'SELECT' AND g.table_name LIKE 'bi\\_%')) "
        "FROM pg_roles r WHERE r.rolname = :name"
    )
    if connection.scalar(query, {"name": name}):
        raise ReaderError(f"The role {name} already exists and can do more than read the views: choose another name")

"""A PostgreSQL role for BI tools: it can read the views, and nothing else."""

import re

from sqlalchemy import Connection, inspect, text

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")

# The functions that create and write large objects.
_LARGE_OBJECT_WRITERS = """
    SELECT CAST(CAST(oid AS regprocedure) AS text) FROM pg_proc WHERE pronamespace = CAST('pg_catalog' AS regnamespace)
    AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_open', 'lo_put', 'lo_truncate',
                    'lo_truncate64', 'lowrite')
    AND has_function_privilege('public', oid, 'EXECUTE')
"""

_RIGHTS = """
    SELECT quote_ident(r.rolname) AS "user", r.rolsuper AS is_superuser, r.rolcreaterole AS makes_roles,
        CAST(current_setting('server_version_num') AS int) < 160000 OR EXISTS (
            SELECT 1 FROM pg_auth_members m WHERE m.admin_option
            AND m.roleid = (SELECT oid FROM pg_roles WHERE rolname = :name) AND pg_has_role(m.member, 'USAGE')
        ) AS changes_role,
        pg_has_role(d.datdba, 'USAGE') AS owns_database, quote_ident(d.datname) AS database,
        pg_has_role(n.nspowner, 'USAGE') AS owns_schema, quote_ident(n.nspname) AS schema,
        (SELECT min(quote_ident(c.relname)) FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind = 'v'
         AND c.relname LIKE 'bi\\_%' AND NOT pg_has_role(c.relowner, 'USAGE')) AS others_views
    FROM pg_roles r, pg_database d, pg_namespace n
    WHERE r.rolname = current_user AND d.datname = current_database() AND n.nspname = current_schema()
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
        ReaderError: this is not PostgreSQL, the name is not allowed, there is no password, the role can do more, or we
            lack a right that it takes.
    """
    if connection.dialect.name != "postgresql":
        raise ReaderError("Readers are roles of PostgreSQL; for SQLite, set the permissions of the file")
    if not _NAME.fullmatch(name) or name.startswith("pg_"):
        raise ReaderError(f"{name!r} cannot be a reader's name: use lower-case letters, digits and underscores")
    is_new = not _exists(connection, name)
    if not is_new:
        _refuse_the_powerful(connection, name)
    if is_new and not password:
        raise ReaderError("A new reader needs a password: set CYPP_READER_PASSWORD")
    if lacking := _lacking(connection, name, is_new):
        user = connection.scalar(text("SELECT quote_ident(current_user)"))
        raise ReaderError(f"{user} lacks the right to {'; and to '.join(lacking)}")
    if is_new:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN NOINHERIT")
    if password:
        # ALTER ROLE takes no parameters: the server itself quotes the password.
        quoted = connection.scalar(text("SELECT quote_literal(CAST(:password AS text))"), {"password": password})
        connection.exec_driver_sql(f"ALTER ROLE {name} PASSWORD {quoted}".replace("%", "%%"))
    _restrict(connection, name)
    for view in inspect(connection).get_view_names():
        if view.startswith("bi_"):
            connection.exec_driver_sql(f'GRANT SELECT ON "{view}" TO {name}')
    return is_new


def _lacking(connection: Connection, name: str, is_new: bool) -> list[str]:
    """The rights that we lack to make a reader or change an earlier one, each with what gives it.

    A superuser has them all. From PostgreSQL 16 on, who makes roles may change those alone that are theirs.
    """
    rights = connection.execute(text(_RIGHTS), {"name": name}).one()
    if rights.is_superuser:
        return []
    user = rights.user
    lacking = []
    if not rights.makes_roles:
        lacking.append(f"make and change roles: ALTER ROLE {user} CREATEROLE")
    elif not is_new and not rights.changes_role:
        lacking.append(f"change the role {name}, which another made: GRANT {name} TO {user} WITH ADMIN OPTION")
    if not rights.owns_database:
        lacking.append(f"say who may connect: ALTER DATABASE {rights.database} OWNER TO {user}")
    if not rights.owns_schema:
        lacking.append(f"say who may use the schema: ALTER SCHEMA {rights.schema} OWNER TO {user}")
    if rights.others_views:
        lacking.append(f"grant the views, which belong to another: ALTER VIEW {rights.others_views} OWNER TO {user}")
    return lacking


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

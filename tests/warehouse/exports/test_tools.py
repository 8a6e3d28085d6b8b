"""What describes an export passes the checks of Frictionless and dbt, in an environment of their own.

They bring dozens of packages, and nothing else here needs them.
"""

import shutil
import subprocess
import venv
from pathlib import Path

import duckdb
import pytest

from cypp_etl.plan.model import Plan
from tests.warehouse.full_warehouse import fill_every_view
from warehouse.engine import open_warehouse, reading
from warehouse.exports.files import export_views
from warehouse.upgrade import upgrade

pytestmark = pytest.mark.trial

_TOOLS = ("frictionless>=5.21,<6", "dbt-core>=1.10,<1.11", "dbt-duckdb>=1.10,<1.11")
_PROJECT = """
name: star
version: "1.0"
profile: star
"""
_PROFILES = """
star: {target: dev, outputs: {dev: {type: duckdb, path: star.duckdb}}}
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tools' commands."""
    folder = tmp_path_factory.mktemp("tools")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", *_TOOLS], check=True)
    return folder / "bin"


@pytest.fixture
def exported(tmp_path: Path, plan: Plan) -> Path:
    """An export that is a project of dbt besides."""
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.db'}")
    upgrade(engine)
    fill_every_view(engine)
    with reading(engine) as connection:
        list(export_views(connection, tmp_path / "out"))
    engine.dispose()
    folder = tmp_path / "out"
    (folder / "models").mkdir()
    shutil.copy(folder / "schema.yml", folder / "models")
    (folder / "dbt_project.yml").write_text(_PROJECT)
    (folder / "profiles.yml").write_text(_PROFILES)
    return folder


def _run(*command: str | Path, folder: Path) -> tuple[int, str]:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def test_frictionless_finds_nothing(tools: Path, exported: Path) -> None:
    code, said = _run(tools / "frictionless", "validate", "datapackage.json", folder=exported)
    assert code == 0, said
    # It looks at what a key leads to: a partner less, and it says so.
    rows = (exported / "bi_partner.csv").read_text("utf-8").splitlines(keepends=True)
    (exported / "bi_partner.csv").write_text("".join(row for row in rows if not row.startswith('"yos"')), "utf-8")
    code, said = _run(tools / "frictionless", "validate", "datapackage.json", folder=exported)
    assert (code, "foreign-key" in said) == (1, True)


def test_dbt_reads_it_and_its_tests_pass(tools: Path, exported: Path) -> None:
    code, said = _run(tools / "dbt", "parse", "--no-partial-parse", "--warn-error", folder=exported)
    assert code == 0, said
    code, said = _run(tools / "dbt", "test", folder=exported)
    assert code == 0, said
    assert "ERROR=0" in said
    partners = exported / "bi_partner.parquet"
    duckdb.sql(f"SELECT * FROM '{partners}' WHERE partner_code <> 'yos'").write_parquet(str(exported / "less.parquet"))  # noqa: S608
    (exported / "less.parquet").replace(partners)
    code, said = _run(tools / "dbt", "test", folder=exported)
    assert (code, "Got 1 result" in said) == (1, True)

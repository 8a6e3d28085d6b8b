"""Settings come from the environment, and an installation works with none of them set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.settings import default_home, read_settings

CHECKOUT = Path(__file__).parents[2]


def test_the_checkout_is_home_by_default() -> None:
    settings = read_settings({})
    assert settings.home == CHECKOUT
    assert settings.inbox == CHECKOUT / "inbox"
    assert settings.warehouse_url == f"sqlite:///{CHECKOUT / 'warehouse.db'}"
    assert settings.plan is None


@pytest.mark.parametrize("project", [None, "[project]\nname = 'another'\n", "[tool.other]\n", "not TOML"])
def test_the_current_folder_is_home_where_there_is_no_checkout(
    project: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Site-packages may hold anybody's pyproject.toml."""
    installed, current = tmp_path / "site-packages", tmp_path / "current"
    installed.mkdir()
    current.mkdir()
    if project is not None:
        (installed / "pyproject.toml").write_text(project, "utf-8")
    monkeypatch.chdir(current)
    assert default_home(installed) == current
    (installed / "pyproject.toml").write_text("[project]\nname = 'cypp-etl'\n", "utf-8")
    assert default_home(installed) == installed


def test_each_setting_overrides_the_default(tmp_path: Path) -> None:
    settings = read_settings(
        {
            "CYPP_HOME": str(tmp_path),
            "CYPP_INBOX": "/srv/drop",
            "CYPP_WAREHOUSE_URL": "postgresql://somewhere/cypp",
            "CYPP_PLAN": "~/plan",
        }
    )
    assert settings.archive == tmp_path / "archive"
    assert settings.inbox == Path("/srv/drop")
    assert settings.warehouse_url == "postgresql://somewhere/cypp"
    assert settings.plan == Path.home() / "plan"


def test_checking_imports_neither_prefect_nor_sqlalchemy(tmp_path: Path) -> None:
    """`cypp check` is for partners at home: it must start at once, and start nothing."""
    script = (
        "import sys; from typer.testing import CliRunner; from flows.cli.app import app\n"
        f"result = CliRunner().invoke(app, ['check', {str(tmp_path / 'empty.xlsx')!r}])\n"
        "assert result.exit_code == 1, result.output\n"
        "heavy = {'prefect', 'sqlalchemy', 'openpyxl', 'alembic', 'fastapi'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    (tmp_path / "empty.xlsx").touch()
    subprocess.run([sys.executable, "-c", script], check=True, env=os.environ | {"CYPP_HOME": str(tmp_path / "home")})
    assert not (tmp_path / "home").exists()

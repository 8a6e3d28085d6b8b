"""Settings come from the environment, and an installation works with none of them set."""

import os
import subprocess
import sys
from pathlib import Path

from flows.settings import CHECKOUT, read_settings


def test_the_checkout_is_home_by_default() -> None:
    settings = read_settings({})
    assert settings.home == CHECKOUT
    assert settings.inbox == CHECKOUT / "inbox"
    assert settings.warehouse_url == f"sqlite:///{CHECKOUT / 'warehouse.db'}"
    assert settings.plan is None


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

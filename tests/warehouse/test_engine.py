"""At rest the warehouse is one file."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cypp_etl.periods import parse_period
from cypp_etl.plan_reader import read_plan
from cypp_etl.samples import sample_return


@pytest.mark.server
def test_a_command_that_ends_leaves_one_whole_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "yos.xlsx").write_bytes(sample_return(read_plan(), "yos", parse_period("2010-11Q1")))
    others = {name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PREFECT_"))}
    for arguments in (["ingest", str(tmp_path / "yos.xlsx")], ["status"]):
        command = [sys.executable, "-c", "from flows.cli import app; app()", *arguments]
        subprocess.run(command, env=others | {"CYPP_HOME": str(home)}, capture_output=True, check=False)
        if arguments[0] == "ingest":
            assert [path.name for path in home.glob("warehouse.db*")] == ["warehouse.db"]
        else:
            # Who only reads may not remove SQLite's log either, in which there is nothing.
            assert (home / "warehouse.db-wal").stat().st_size == 0
    copy = shutil.copy(home / "warehouse.db", tmp_path / "copy.db")
    with sqlite3.connect(copy) as alone:
        assert alone.execute("SELECT count(*) FROM submission").fetchone() == (1,)

"""Only its owner can read the warehouse, whatever the umask."""

import os
from pathlib import Path

from warehouse.engine import open_warehouse, writing


def test_the_warehouse_is_made_for_its_owner(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        with writing(open_warehouse(f"sqlite:///{tmp_path}/home/warehouse.db")) as connection:
            connection.exec_driver_sql("CREATE TABLE t (x)")
            modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "home").iterdir()}
    finally:
        os.umask(former)
    assert set(modes) >= {"warehouse.db", "warehouse.db-wal"}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700

"""`cypp check` on a system that has nothing of POSIX, as partners' Windows: `bare/sitecustomize.py` takes it away."""

import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

from cypp_etl.periods import parse_period
from tests.support.samples import sample_of

ROOT = Path(__file__).parents[3]
CHECK = "from flows.cli.app import app; app()"


class BareSystem:
    """Runs Python without what POSIX has, and remembers which processes there were."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "processes.log"

    def run(self, code: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
        others = {name: value for name, value in os.environ.items() if not name.startswith(("CYPP_", "PYTHON", "LC_"))}
        # Windows keeps names in Unicode, and prints into a pipe in an encoding of its own.
        others |= {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "cp1252:strict"}
        others |= {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent / "bare"), str(ROOT)])}
        others |= {"BARE_SYSTEM_LOG": str(self._log), "PYTHONWARNDEFAULTENCODING": "1"}
        return subprocess.run(
            [sys.executable, "-c", code, *arguments], env=others | environment, capture_output=True, check=False
        )

    def programs(self) -> list[str]:
        """What ran, without the interpreter and its arguments."""
        commands = map(json.loads, self._log.read_text("utf-8").splitlines())
        return [program for _, option, program, *_ in commands if option == "-m"]


@pytest.fixture
def bare(tmp_path: Path) -> BareSystem:
    return BareSystem(tmp_path)


@pytest.fixture(scope="module")
def good() -> bytes:
    return sample_of("yos", parse_period("2010-11Q1"))


@pytest.fixture
def faulty(good: bytes, tmp_path: Path) -> Path:
    workbook = openpyxl.load_workbook(io.BytesIO(good))
    workbook["Indicators"]["I2"] = "→ ０.３"
    path = tmp_path / "retour d’été №1.xlsx"
    workbook.save(path)
    return path


def test_what_posix_has_is_hidden_in_every_process(bare: BareSystem) -> None:
    """Without which the rest would prove nothing."""
    code = (
        "import importlib, os, signal, sys\n"
        "for name in ('fcntl', 'resource', 'pwd', 'grp', 'termios'):\n"
        "    try: importlib.import_module(name)\n"
        "    except ImportError: continue\n"
        "    sys.exit(name)\n"
        "hidden = ('fork', 'killpg', 'setsid', 'getuid', 'geteuid', 'chown', 'O_NONBLOCK', 'O_NOFOLLOW')\n"
        "there = [name for name in hidden if hasattr(os, name)]\n"
        "there += [name for name in ('SIGKILL', 'SIGALRM', 'setitimer') if hasattr(signal, name)]\n"
        "assert not there, there\n"
    )
    ended = bare.run(
        f"import subprocess, sys; {code!r}; sys.exit(subprocess.run([sys.executable, '-c', {code!r}]).returncode)"
    )
    assert ended.returncode == 0, ended.stderr


def test_a_return_is_checked_and_its_receipt_written(bare: BareSystem, faulty: Path, tmp_path: Path) -> None:
    ended = bare.run(CHECK, "check", str(faulty), "--reply", str(tmp_path / "replies"), "--json")
    assert ended.returncode == 1, ended.stderr.decode()
    assert ended.stderr == b""
    said = json.loads(ended.stdout)
    assert (said["partner"], said["status"], said["file"]) == ("yos", "rejected", str(faulty))
    assert [one["cell"] for one in said["findings"]] == ["I2"]
    (receipt,) = (tmp_path / "replies").iterdir()
    assert receipt.name == "retour d’été №1 - rejected.xlsx"
    assert openpyxl.load_workbook(receipt)["Indicators"]["I2"].comment is not None
    # A busy machine has a second one ready while the first takes long.
    assert set(bare.programs()) == {"cypp_etl.checking.confined_child"}


def test_what_the_terminal_cannot_show_is_written_out(bare: BareSystem, faulty: Path) -> None:
    ended = bare.run(CHECK, "check", str(faulty))
    assert ended.returncode == 1, ended.stderr.decode()
    first, *rest = ended.stdout.decode("cp1252").splitlines()
    assert first.endswith("retour d’été \\u21161.xlsx: rejected (yos, 2010-11Q1)")
    assert "\\u2192" in "\n".join(rest)


def test_another_format_is_read_in_a_process_of_its_own(bare: BareSystem, tmp_path: Path) -> None:
    names = 'xmlns:office="{0}:office:1.0" xmlns:table="{0}:table:1.0" xmlns:text="{0}:text:1.0"'
    cell = '<table:table-cell office:value-type="string"><text:p>Minutes</text:p></table:table-cell>'
    content = (
        f"<office:document-content {names.format('urn:oasis:names:tc:opendocument:xmlns')}><office:body>"
        f'<office:spreadsheet><table:table table:name="Été"><table:table-row>{cell}</table:table-row></table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    path = tmp_path / "minutes.ods"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", content)
    ended = bare.run(CHECK, "check", str(path), "--reply", str(tmp_path / "replies"), "--json")
    assert ended.returncode == 1, ended.stderr.decode()
    assert [one["code"] for one in json.loads(ended.stdout)["findings"]] == ["layout-unknown"]
    assert [path.name for path in (tmp_path / "replies").iterdir()] == ["minutes.ods - rejected.html"]
    assert bare.programs() == ["cypp_etl.checking.confined_child", "cypp_etl.workbook.sandbox.child"]


def test_what_hangs_is_killed_in_time_and_the_next_is_checked(bare: BareSystem, good: bytes, tmp_path: Path) -> None:
    (tmp_path / "return.xlsx").write_bytes(good)
    stop = int(signal.SIGSTOP)
    code = f"""
import datetime, os, pathlib, sys, time
from cypp_etl.checked_return import History
from cypp_etl.checking.confined import Bounds, ConfinedChecker
from cypp_etl.checking.opening import Received
from cypp_etl.plan.reader import read_plan

checker, plan = ConfinedChecker(Bounds(check_seconds=2)), read_plan()
received = Received("return.xlsx", pathlib.Path(sys.argv[1]).read_bytes(), "yos")

def check(past):
    return [one.code for one in checker.check(plan, received, datetime.date(2010, 7, 12), past).findings]

def hang(*_):
    os.kill(checker._child._process.pid, {stop})
    return History()

began = time.monotonic()
assert check(hang) == ["workbook-too-complex"]
assert time.monotonic() - began < 30
assert check(lambda *_: History()) == []
checker.close()
"""
    ended = bare.run(code, str(tmp_path / "return.xlsx"))
    assert ended.returncode == 0, ended.stderr.decode()

"""The folders of docs/deploy.md, as real users: partners and the service can do what they must, and no one else can."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cypp_etl.receipts.reply import Reply
from flows.inbox.moves import take_away
from flows.inbox.receipt_files import write_reply
from flows.inbox.written_receipts import WrittenReceipts
from flows.storage.archive import keep

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "deploy.md").read_text("utf-8")
# Numbers that are nobody's here, for the names in the recipe.
NUMBERS = {"cypp": 61_000, "yos": 61_001, "nhs": 61_002, "partners": 61_010, "ann": 61_021, "bob": 61_022}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes other users")


@pytest.fixture
def home() -> Iterator[Path]:
    """A home where the recipe was followed, which other users can reach; pytest's own folders they cannot."""
    home = Path(tempfile.mkdtemp(prefix="cypp-share-"))
    (recipe,) = re.findall(r"```sh\n(groupadd --force partners.*?)```", PAGE, re.DOTALL)
    made = [line for line in recipe.splitlines() if line.startswith("install ")]
    assert len(made) == 3
    made.append(made[-1].replace("yos", "nhs"))
    for line in made:
        command = line.partition("#")[0].replace("/srv/cypp", str(home))
        command = re.sub(r"(-[og]) (\w+)", lambda found: f"{found[1]} {NUMBERS[found[2]]}", command)
        subprocess.run(command.split(), check=True)
    yield home
    shutil.rmtree(home)


@pytest.fixture
def joins() -> list[str]:
    """The groups that the recipe makes the service's user join."""
    return re.findall(r"usermod -aG ([\w,]+) cypp", PAGE)[0].split(",")


def run_as(user: str, groups: list[str], work: Callable[[], None], umask: int = 0o022) -> None:
    """Do something as another user, in a process of its own; what fails there fails here."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([NUMBERS[group] for group in groups])
            os.setgid(NUMBERS[groups[0] if user != "cypp" else "cypp"])
            os.setuid(NUMBERS[user])
            os.umask(umask)
            work()
        except BaseException:  # noqa: BLE001 - whatever it was, this process ends here
            traceback.print_exc(file=sys.__stderr__)
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def mode_and_group(path: Path) -> tuple[str, int]:
    status = path.stat()
    return oct(stat.S_IMODE(status.st_mode)), status.st_gid


def drop_as_samba(folder: Path) -> None:
    """What smbd does with `inherit permissions`: the folder's own reading and writing, and the setgid bit."""
    (folder / "drafts").mkdir()
    (folder / "drafts").chmod(stat.S_IMODE(folder.stat().st_mode))
    for path in (folder / "ours.xlsx", folder / "drafts" / "ours.xlsx"):
        path.write_bytes(b"return")
        path.chmod(0o660)


def test_a_partner_drops_and_the_service_answers(home: Path, joins: list[str]) -> None:
    folder = home / "inbox" / "yos"
    run_as("ann", ["yos", "partners"], lambda: drop_as_samba(folder))
    assert mode_and_group(folder / "drafts") == ("0o2770", NUMBERS["yos"])

    def answer() -> None:
        kept = keep(folder / "ours.xlsx", home / "archive")
        write_reply(folder, Reply("ours - accepted.xlsx", b"receipt"), WrittenReceipts(home / ".receipts", "yos"))
        take_away(folder / "ours.xlsx", kept)
        (folder / "drafts" / "ours.xlsx").unlink()

    run_as("cypp", joins, answer, umask=0o077)
    assert mode_and_group(folder / "replies") == ("0o2770", NUMBERS["yos"])
    assert mode_and_group(folder / "replies" / "ours - accepted.xlsx") == ("0o660", NUMBERS["yos"])
    assert sorted(path.name for path in folder.iterdir()) == ["drafts", "replies"]

    def mend() -> None:
        receipt = folder / "replies" / "ours - accepted.xlsx"
        assert receipt.read_bytes() == b"receipt"
        # Excel saves beside, and gives that the name.
        (folder / "replies" / "A1B2C3").write_bytes(b"mended")
        (folder / "replies" / "A1B2C3").replace(receipt)

    run_as("ann", ["yos", "partners"], mend)


def test_receipts_lose_their_group_where_the_service_has_not_joined_it(home: Path) -> None:
    """Why the recipe has `usermod`: who is not in a folder's group may not set its setgid bit."""
    folder = home / "inbox" / "yos"
    run_as("cypp", ["cypp"], lambda: _reply(home, folder), umask=0o077)
    assert mode_and_group(folder / "replies")[0] == "0o770"


def _reply(home: Path, folder: Path) -> None:
    write_reply(folder, Reply("ours - accepted.xlsx", b"receipt"), WrittenReceipts(home / ".receipts", "yos"))


def test_another_partner_sees_nothing(home: Path, joins: list[str]) -> None:
    folder = home / "inbox" / "yos"
    run_as("cypp", joins, lambda: _reply(home, folder), umask=0o077)

    def look() -> None:
        assert sorted(path.name for path in (home / "inbox").iterdir()) == ["nhs", "yos"]
        for denied in (
            lambda: list(folder.iterdir()),
            (folder / "replies" / "ours - accepted.xlsx").read_bytes,
            lambda: (folder / "theirs.xlsx").write_bytes(b""),
            (home / "inbox" / "new").mkdir,
            lambda: list(home.iterdir()),
            lambda: folder.rename(home / "inbox" / "mine"),
        ):
            with pytest.raises(PermissionError):
                denied()

    run_as("bob", ["nhs", "partners"], look)


@pytest.mark.skipif(shutil.which("testparm") is None, reason="there is no Samba here")
def test_samba_reads_every_line_of_its_settings() -> None:
    path = ROOT / "deploy" / "smb.conf"
    read = subprocess.run(["testparm", "-s", path], capture_output=True, text=True, check=True)
    assert "Loaded services file OK." in read.stderr
    assert not re.search(r"unknown|ignoring|error|deprecated", read.stderr, re.IGNORECASE)
    for wanted in ("inherit permissions", "hide unreadable", "access based share enum"):
        assert f"{wanted} = Yes" in read.stdout

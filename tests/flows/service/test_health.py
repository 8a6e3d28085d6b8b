"""What is healthy, degraded and unhealthy: each check with what passes, what does not, and the boundary."""

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.inbox.settling import Patience, Settling
from flows.inbox.sweep import Waiting
from flows.prefect_server.server import PrefectServer
from flows.service.health import Check, Examiner, Verdict
from flows.service.progress import Progress
from flows.service.served_deployments import ServedDeployments
from flows.service.watcher import OutOfReachError, Watcher
from flows.settings import Settings
from tests.flows.inbox.test_settling import zipped
from tests.support.leaping_loop import run_leaping

HEALTHY, DEGRADED, UNHEALTHY = Verdict
YOS, NHS = Path("/inbox/yos/a.xlsx"), Path("/inbox/nhs/a.xlsx")


class Clock:
    """Says the seconds that it is given."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def alive() -> Iterator[threading.Thread]:
    """A thread, as the watcher's is, until the test ends."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    yield thread
    over.set()
    thread.join()


@pytest.fixture
def examiner(settings: Settings, alive: threading.Thread) -> Examiner:
    """Of a service that has seen its inbox at 1000, looks at it every 10 seconds, and wrote to its archive."""
    examiner = Examiner(settings, Progress(), threading.Event(), 10.0, clock=Clock(), watcher=alive)
    examiner.progress.looked(1000.0, {}, ())
    examiner.examine()
    return examiner


def at(examiner: Examiner, now: float, name: str) -> Check:
    """One check at one moment."""
    assert isinstance(examiner.clock, Clock)
    examiner.clock.now = now
    (found,) = (check for check in examiner.health().checks if check.name == name)
    return found


def test_what_works_is_healthy(examiner: Examiner, settings: Settings) -> None:
    health = examiner.health()
    assert health.verdict is HEALTHY
    assert health.line == "Healthy. The inbox was last seen 0 seconds ago. No file waits."
    assert list(settings.archive.iterdir()) == [], "what was tried is removed"


def test_a_watcher_that_stands_still_is_unhealthy(examiner: Examiner) -> None:
    assert at(examiner, 1070, "watcher").verdict is HEALTHY
    assert examiner.is_moving()
    stuck = at(examiner, 1071, "watcher")
    assert stuck == Check("watcher", UNHEALTHY, "The watcher has done nothing for 71 seconds.")
    assert not examiner.is_moving()


def test_a_step_in_vain_is_a_step(examiner: Examiner) -> None:
    """Another start would not help: the warehouse is what is to be mended."""
    examiner.progress.hindered(1200, warehouse="The warehouse is out of reach.")
    assert at(examiner, 1201, "watcher").verdict is HEALTHY
    assert at(examiner, 1201, "warehouse") == Check("warehouse", UNHEALTHY, "The warehouse is out of reach.")
    examiner.examine()
    assert examiner.health().line == "Unhealthy. The warehouse is out of reach."
    assert examiner.is_moving()
    examiner.progress.looked(1202, {}, ())
    assert at(examiner, 1202, "warehouse").verdict is HEALTHY


def test_what_starts_stops_or_has_ended_is_unhealthy(settings: Settings, alive: threading.Thread) -> None:
    examiner = Examiner(settings, Progress(), threading.Event(), 10.0, clock=Clock())
    assert examiner.health().line == "Unhealthy. It is starting."
    ended = threading.Thread(target=int)
    ended.start()
    ended.join()
    examiner.progress.moved(1000)
    examiner.watcher = ended
    assert examiner.health().line == "Unhealthy. The watcher has ended."
    examiner.watcher = alive
    assert examiner.is_moving()
    examiner.stopped.set()
    assert examiner.health().line == "Unhealthy. It is stopping."
    assert not examiner.is_moving()


def test_an_archive_that_cannot_be_written_is_unhealthy(examiner: Examiner, settings: Settings) -> None:
    settings.archive.rmdir()
    settings.archive.write_bytes(b"")
    examiner.examine()
    assert at(examiner, 1001, "archive") == Check("archive", UNHEALTHY, "The archive cannot be written: File exists.")
    settings.archive.unlink()
    examiner.examine()
    assert at(examiner, 1002, "archive").verdict is HEALTHY
    # Tried at 1001: a share that hangs answers no more.
    assert at(examiner, 1061, "archive").verdict is HEALTHY
    assert at(examiner, 1062, "archive") == Check("archive", UNHEALTHY, "The archive has not answered for 61 seconds.")


def test_an_archive_that_never_answers_is_unhealthy(settings: Settings, alive: threading.Thread) -> None:
    clock, ended = Clock(), threading.Event()
    ended.set()
    examiner = Examiner(settings, Progress(), ended, 10.0, clock=clock, watcher=alive)
    settings.home.mkdir()
    assert at(examiner, 1000, "archive") == Check("archive", HEALTHY, "The archive has not been tried yet.")
    examiner._began_at = 1000.0
    assert at(examiner, 1060, "archive").verdict is HEALTHY
    assert at(examiner, 1061, "archive").verdict is UNHEALTHY


def test_a_file_that_waits_is_late_after_five_minutes(examiner: Examiner) -> None:
    examiner.progress.looked(1000, {YOS: 1000.0}, ())
    assert at(examiner, 1001, "waiting") == Check("waiting", HEALTHY, "1 file waits, the oldest for 1 second.")
    assert at(examiner, 1300, "waiting").verdict is HEALTHY
    assert at(examiner, 1301, "waiting") == Check("waiting", DEGRADED, "1 file waits, the oldest for 301 seconds.")


def test_if_two_partners_wait_and_nobody_is_answered_it_is_unhealthy(examiner: Examiner) -> None:
    examiner.progress.looked(1000, {YOS: 1000.0, YOS.with_name("b.xlsx"): 1000.0}, ())
    assert at(examiner, 1301, "waiting").verdict is DEGRADED, "both are one partner's"
    third = NHS.with_name("b.xlsx")
    examiner.progress.looked(1000, {YOS: 1000.0, NHS: 1000.0, third: 1000.0}, ())
    assert at(examiner, 1301, "waiting").verdict is UNHEALTHY
    examiner.progress.answered(1301, third)
    assert at(examiner, 1601, "waiting").verdict is DEGRADED, "another was answered meanwhile"
    assert at(examiner, 1602, "waiting").verdict is UNHEALTHY


def test_a_partners_folder_that_is_skipped_is_degraded(examiner: Examiner) -> None:
    examiner.progress.looked(1000, {}, [Waiting(YOS, "yos", "it is a link")])
    assert at(examiner, 1000, "inbox").verdict is HEALTHY, "a file is the partner's affair"
    examiner.progress.looked(1000, {}, [Waiting(YOS.parent, "yos", "it is a link", is_folder=True)])
    assert at(examiner, 1000, "inbox") == Check("inbox", DEGRADED, "A partner's folder is skipped: the log says why.")


def test_a_run_that_does_not_end_is_degraded(examiner: Examiner) -> None:
    examiner.progress.run_began(1000, YOS)
    assert at(examiner, 1300, "runs").verdict is HEALTHY
    assert at(examiner, 1301, "runs").verdict is DEGRADED
    examiner.progress.run_ended(YOS)
    assert at(examiner, 1301, "runs").verdict is HEALTHY


def test_a_server_that_is_away_is_degraded(examiner: Examiner) -> None:
    examiner.server = PrefectServer("127.0.0.1", 9)
    examiner.stopped.set()
    examiner.begin()
    examiner.stopped.clear()
    assert at(examiner, 1030, "prefect").verdict is HEALTHY
    examiner.examine()
    assert at(examiner, 1031, "prefect") == Check(
        "prefect", DEGRADED, "Prefect's server has not answered for 31 seconds."
    )


def test_deployments_that_ended_are_degraded(examiner: Examiner, settings: Settings) -> None:
    examiner.deployments = ServedDeployments(settings)
    assert at(examiner, 1000, "deployments").verdict is HEALTHY, "they begin after the watcher"
    child = subprocess.Popen(["sleep", "60"])
    examiner.deployments._child = child
    assert at(examiner, 1000, "deployments").verdict is HEALTHY
    child.kill()
    child.wait()
    assert at(examiner, 1000, "deployments").verdict is DEGRADED


def test_of_several_reasons_the_worst_comes_first(examiner: Examiner) -> None:
    examiner.progress.looked(1000, {YOS: 600.0}, ())
    examiner.progress.hindered(1000, inbox="The inbox is out of reach.")
    line = "Unhealthy. The inbox is out of reach. 1 file waits, the oldest for 400 seconds."
    assert examiner.health().line == line


def test_a_dispatcher_that_hangs_is_found_out(settings: Settings, alive: threading.Thread) -> None:
    """The watcher itself, with one who takes its file and never comes back."""
    drop = settings.inbox / "yos" / "a.xlsx"
    drop.parent.mkdir(parents=True)
    drop.write_bytes(zipped())
    away = False

    def partners() -> list[str]:
        if away:
            raise OutOfReachError("at db.example", in_short="It is away.")
        return ["yos"]

    async def work() -> None:
        nonlocal away
        freed, stop, clock = asyncio.Event(), asyncio.Event(), asyncio.get_running_loop().time
        examiner = Examiner(settings, Progress(), threading.Event(), 10.0, clock=clock, watcher=alive)

        async def ingest(waiting: Waiting) -> "asyncio.Future[bool]":
            await freed.wait()
            examiner.progress.answered(clock(), waiting.path)
            waiting.path.unlink()
            done = asyncio.get_running_loop().create_future()
            done.set_result(True)
            return done

        watcher = Watcher(
            settings.inbox, partners, ingest, 10.0, False, settling=Settling(Patience(0.1, 0.1)), clock=clock
        )
        watcher.progress = examiner.progress
        running = asyncio.create_task(watcher.run(stop))
        await asyncio.sleep(60)
        assert examiner.is_moving()
        assert examiner.progress.state.waiting.keys() == {drop}
        await asyncio.sleep(60)
        assert not examiner.is_moving()
        freed.set()
        await asyncio.sleep(20)
        assert examiner.is_moving()
        assert not examiner.progress.state.waiting
        assert not examiner.progress.state.runs
        away = True
        await asyncio.sleep(100)
        assert examiner.is_moving()
        assert "It is away." in examiner.health().line
        away = False
        settings.inbox.rename(settings.home / "elsewhere")
        await asyncio.sleep(20)
        assert "The inbox is out of reach." in examiner.health().line
        (settings.home / "elsewhere").rename(settings.inbox)
        await asyncio.sleep(20)
        assert examiner.health().checks[0].verdict is HEALTHY
        assert not examiner.progress.state.inbox_fault
        stop.set()
        await running

    run_leaping(work())

"""systemd is told by datagrams, where it asks to be."""

import os
import socket
import threading
from pathlib import Path

import pytest

from flows.service.health import Examiner
from flows.service.progress import Progress
from flows.service.service_manager import ServiceManager, tell
from flows.settings import Settings


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_each_is_told_in_one_datagram(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"cypp-{os.getpid()}" if kind == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}" if kind == "abstract" else name)
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}" if kind == "abstract" else name)
        tell("READY=1", "STATUS=Healthy. Nothing waits.")
        assert manager.recv(1000) == b"READY=1\nSTATUS=Healthy. Nothing waits."


def test_without_a_manager_nobody_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    tell("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    tell("READY=1")
    assert list(tmp_path.iterdir()) == []


def test_a_watcher_that_stands_still_is_passed_over_in_silence(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, now = str(tmp_path / "notify"), 1000.0
    watcher = threading.current_thread()
    examiner = Examiner(settings, Progress(), threading.Event(), 10.0, clock=lambda: now, watcher=watcher)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name)
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        manager = ServiceManager(examiner)
        manager.tell_when_due()
        with pytest.raises(BlockingIOError):
            systemd.recv(1000)
        examiner.progress.looked(1000, {}, ())
        manager.tell_when_due()
        assert systemd.recv(1000).startswith(b"READY=1\nWATCHDOG=1\nSTATUS=Healthy. ")
        # Told within seconds, it is not told again.
        manager.tell_when_due()
        now = 1071.0
        ServiceManager(examiner).tell_when_due()
        with pytest.raises(BlockingIOError):
            systemd.recv(1000)

"""Takes from a process, as it starts, what Windows does not have.

Python imports it where its folder is in PYTHONPATH, which the processes that this one starts inherit, and so the loss.
What Python itself needs on this system is imported first. In the file that BARE_SYSTEM_LOG names each process says that
it was here.
"""

import json
import os
import posix
import select
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

MODULES = (
    *("_posixsubprocess", "crypt", "curses", "fcntl", "grp", "nis", "pty", "pwd", "readline", "resource"),
    *("spwd", "syslog", "termios", "tty"),
)
# What the module `os` takes from the system on Windows; and `uname`, for which numpy asks where it sees Linux.
OF_OS = """
    DirEntry EX_OK F_OK O_APPEND O_CREAT O_EXCL O_RDONLY O_RDWR O_TRUNC O_WRONLY P_NOWAIT P_NOWAITO P_WAIT R_OK SEEK_CUR
    SEEK_END SEEK_SET TMP_MAX W_OK X_OK abort access chdir chmod close closerange cpu_count device_encoding dup dup2
    environ error execv execve fspath fstat fsync ftruncate get_inheritable get_terminal_size getcwd getcwdb getlogin
    getpid getppid isatty kill link listdir lseek lstat mkdir open pipe putenv read readlink remove rename replace rmdir
    scandir set_inheritable spawnv spawnve stat stat_result statvfs_result strerror symlink system terminal_size times
    times_result truncate umask uname uname_result unlink unsetenv urandom utime waitpid waitstatus_to_exitcode write
"""
OF_SIGNAL = {"SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM", "SIG_DFL", "SIG_IGN"}
_NOT_OF_SIGNAL = ("SIG", "ITIMER", "setitimer", "getitimer", "alarm", "pause", "pthread", "siginterrupt", "sigwait")
# Of these, Windows takes no notice.
_UNHEARD = ("start_new_session", "process_group", "umask", "user", "group", "extra_groups")

_popen_init, _send_signal = subprocess.Popen.__init__, subprocess.Popen.send_signal
_KILL = signal.SIGKILL


def _init(self: "subprocess.Popen[Any]", *args: Any, **kwargs: Any) -> None:
    if kwargs.get("preexec_fn") or kwargs.get("pass_fds"):
        raise ValueError("not supported on Windows")
    _popen_init(self, *args, **{name: value for name, value in kwargs.items() if name not in _UNHEARD})


def _end(self: "subprocess.Popen[Any]") -> None:
    _send_signal(self, _KILL)


for name in set(dir(posix)) - set(OF_OS.split()):
    if not name.startswith("_") and hasattr(os, name):
        delattr(os, name)
for name in dir(signal):
    if name.startswith(_NOT_OF_SIGNAL) and name not in OF_SIGNAL:
        delattr(signal, name)
for name in ("poll", "epoll"):
    delattr(select, name)
for name in MODULES:
    sys.modules[name] = None  # type: ignore[assignment]
for supported in (os.supports_dir_fd, os.supports_fd, os.supports_effective_ids):
    supported.clear()
subprocess.Popen.__init__ = _init  # type: ignore[method-assign]
subprocess.Popen.kill = subprocess.Popen.terminate = _end  # type: ignore[method-assign]
# Windows reads and writes files in an encoding of its own where none is named.
warnings.filterwarnings("error", category=EncodingWarning, module=r"(flows|warehouse|cypp_etl|schemas)\b")
with Path(os.environ["BARE_SYSTEM_LOG"]).open("a", encoding="utf-8") as log:
    log.write(json.dumps(sys.orig_argv) + "\n")

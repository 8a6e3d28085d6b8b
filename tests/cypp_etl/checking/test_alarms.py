"""Alarms: called when they are due, and not once they are cancelled."""

import os
import threading
import time
from threading import Event

import pytest

from cypp_etl.checking.alarms import Alarms

_LONG, _SOON = 60.0, 0.02


def test_an_alarm_that_is_due_is_called():
    called = Event()
    Alarms().set(_SOON, called.set)
    assert called.wait(10)


def test_an_earlier_one_is_called_though_it_was_set_later():
    alarms, called = Alarms(), Event()
    alarms.set(_LONG, lambda: None)
    alarms.set(_SOON, called.set)
    assert called.wait(10)


def test_one_that_was_cancelled_is_not_called():
    alarms, called, next_called = Alarms(), Event(), Event()
    cancel = alarms.set(_SOON, called.set)
    cancel()
    alarms.set(2 * _SOON, next_called.set)
    assert next_called.wait(10)
    assert not called.is_set()


def test_cancelling_waits_for_the_call():
    alarms, begun, done = Alarms(), Event(), Event()

    def call() -> None:
        begun.set()
        time.sleep(_SOON)
        done.set()

    cancel = alarms.set(0.0, call)
    assert begun.wait(10)
    cancel()
    assert done.is_set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_call_that_fails_takes_no_other_with_it():
    alarms, called, later = Alarms(), Event(), Event()

    def fail() -> None:
        raise OSError

    alarms.set(0.0, fail)
    alarms.set(_SOON, called.set)
    assert called.wait(10)
    alarms.set(0.0, later.set)
    assert later.wait(10)


def test_many_alarms_have_one_thread():
    alarms = Alarms()
    before = threading.active_count()
    cancels = [alarms.set(_LONG, lambda: None) for _ in range(50)]
    assert threading.active_count() == before + 1
    for cancel in cancels:
        cancel()


def test_the_thread_ends_when_there_is_nothing_to_do():
    alarms, called, again = Alarms(), Event(), Event()
    before = set(threading.enumerate())
    alarms.set(_SOON, called.set)
    (thread,) = set(threading.enumerate()) - before
    thread.join(10)
    assert not thread.is_alive()
    assert called.is_set()
    alarms.set(_SOON, again.set)
    assert again.wait(10)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_alarms_are_called_in_a_fork_too():
    alarms = Alarms()
    cancel = alarms.set(_LONG, lambda: None)
    child = os.fork()
    if child == 0:
        alarms.set(_SOON, lambda: os._exit(3))
        time.sleep(10)
        os._exit(0)
    cancel()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3

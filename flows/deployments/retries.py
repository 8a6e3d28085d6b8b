"""Tasks that are retried after a temporary failure: the database was down, or another writer took long."""

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from sqlalchemy.exc import OperationalError

from flows.settings import RETRY_DELAYS_SECONDS
from flows.storage.room import is_full

P = ParamSpec("P")
R = TypeVar("R")


def retried_task(name: str) -> Callable[[Callable[P, Awaitable[R]]], Task[P, Any]]:
    """Make a named task that stores no results: only the warehouse says what has been done."""
    return task(
        name=name,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=len(RETRY_DELAYS_SECONDS),
        retry_delay_seconds=list(RETRY_DELAYS_SECONDS),
        retry_condition_fn=is_passing,
    )


def is_passing(_task: object, _run: object, state: State[Any]) -> bool:
    """Whether a failure may be temporary; nobody makes room on a disk within a minute."""
    fault = getattr(state, "data", None)
    return isinstance(fault, OperationalError) and not is_full(fault)

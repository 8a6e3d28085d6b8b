"""Tasks that are tried again where a failure may pass by itself: a database was away, or another writer took long."""

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from sqlalchemy.exc import OperationalError

from flows.settings import RETRY_DELAYS_SECONDS

P = ParamSpec("P")
R = TypeVar("R")


def retried_task(name: str) -> Callable[[Callable[P, Awaitable[R]]], Task[P, Any]]:
    """Make a task under a name, which keeps no results: the warehouse alone says what has been done."""
    return task(
        name=name,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=len(RETRY_DELAYS_SECONDS),
        retry_delay_seconds=list(RETRY_DELAYS_SECONDS),
        retry_condition_fn=is_passing,
    )


def is_passing(_task: object, _run: object, state: State[Any]) -> bool:
    """Whether a failure may pass by itself."""
    return isinstance(getattr(state, "data", None), OperationalError)

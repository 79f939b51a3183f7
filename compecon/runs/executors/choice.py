"""Executors by name, with a few options for commands and pages."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, final

from compecon.errors import RunError, did_you_mean
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.executors.ray import Cluster, RayExecutor
from compecon.runs.home import Home
from compecon.runs.run_record import RunRecord
from compecon.runs.store import RunStore

if TYPE_CHECKING:
    from compecon.runs.executors.executor import Executor

EXECUTORS = ("local", "ray")
ADDRESS = "COMPECON_RAY_ADDRESS"
PYTHON = "COMPECON_RAY_PYTHON"
GPU = "COMPECON_RAY_GPU"
TRUSTED = "COMPECON_RAY_WITHOUT_TOKEN"
_TRUTH = {"": None, "0": False, "1": True}


@final
@dataclass(frozen=True)
class ExecutorOptions:
    """Options of executors other than the local one. Never read from a run's folder: a token is sent along.

    Attributes:
        ray_address: Of the job server of a Ray cluster, like "http://127.0.0.1:8265"; "" for none.
        ray_python: Python of the cluster's machines; "" for a guess, see `Cluster`.
        ray_gpu: Whether a run gets a GPU there; None if this machine's devices decide.
        ray_without_token: Whether another machine may be addressed without a token.
    """

    ray_address: str = ""
    ray_python: str = ""
    ray_gpu: bool | None = None
    ray_without_token: bool = False

    @classmethod
    def from_environment(cls, ray_address: str = "") -> Self:
        """The address that was given or ``COMPECON_RAY_ADDRESS``; ``_PYTHON``, ``_GPU``, ``_WITHOUT_TOKEN`` likewise.

        Raises:
            RunError: If one of the last two is neither 0 nor 1.
        """
        address = ray_address or os.environ.get(ADDRESS, "")
        return cls(address, os.environ.get(PYTHON, ""), _truth(GPU), _truth(TRUSTED) or False)


def open_store(home: Home, options: ExecutorOptions | None = None) -> RunStore:
    """The runs of a home, with a way to tell whether those on a configured cluster are alive."""
    store = RunStore(home)
    if (options or ExecutorOptions.from_environment()).ray_address:
        executor_for("ray", store, options)
    return store


def executor_for(name: str, store: RunStore, options: ExecutorOptions | None = None) -> Executor:
    """An executor, "local" or "ray"; the store then asks it whether its runs are alive."""
    if name == "local":
        return LocalExecutor(store)
    if name != "ray":
        raise RunError(
            f"There is no executor {name[:60]!r}.{did_you_mean(name, EXECUTORS)} There are: {', '.join(EXECUTORS)}."
        )
    chosen = options or ExecutorOptions.from_environment()
    if not chosen.ray_address:
        raise RunError(
            f"Runs of Ray need the address of its head. Set {ADDRESS}, or give --ray-address, "
            "like http://127.0.0.1:8265."
        )
    executor = RayExecutor(
        store, Cluster(chosen.ray_address, chosen.ray_python, chosen.ray_gpu, chosen.ray_without_token)
    )
    store.liveness[executor.name] = executor.lives
    return executor


def executor_of(record: RunRecord, store: RunStore, options: ExecutorOptions | None = None) -> Executor:
    """The executor that a run was submitted to, and that alone may start or stop it."""
    return executor_for(record.spec.executor, store, options)


def start_anyway(executor: Executor, run_id: str) -> None:
    """Start a run whose worker may be alive, once nothing has moved for a while; locally a lock decides."""
    if isinstance(executor, RayExecutor):
        executor.start_anyway(run_id)
    else:
        executor.start(run_id)


def _truth(name: str) -> bool | None:
    given = os.environ.get(name, "")
    if given not in _TRUTH:
        raise RunError(f"{name} must be 0 or 1, got {given[:60]!r}.")
    return _TRUTH[given]

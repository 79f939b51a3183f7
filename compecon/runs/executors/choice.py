"""Executors by name, for commands and pages."""

from __future__ import annotations

from compecon.errors import RunError, did_you_mean
from compecon.runs.executors.executor import Executor
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.executors.ray import ADDRESS, Cluster, RayExecutor
from compecon.runs.home import Home
from compecon.runs.run_record import RunRecord
from compecon.runs.store import RunStore

EXECUTORS = (LocalExecutor.name, RayExecutor.name)


def open_store(home: Home, cluster: Cluster | None = None) -> RunStore:
    """The runs of a home, with a way to tell whether those on a cluster are alive; by default, the environment's."""
    store = RunStore(home)
    if (cluster or Cluster.from_environment()).address:
        executor_for(RayExecutor.name, store, cluster)
    return store


def executor_for(name: str, store: RunStore, cluster: Cluster | None = None) -> Executor:
    """An executor, "local" or "ray"; the store then asks it whether its runs are alive."""
    if name == LocalExecutor.name:
        return LocalExecutor(store)
    if name != RayExecutor.name:
        raise RunError(
            f"There is no executor {name[:60]!r}.{did_you_mean(name, EXECUTORS)} There are: {', '.join(EXECUTORS)}."
        )
    cluster = cluster or Cluster.from_environment()
    if not cluster.address:
        raise RunError(
            f"Ray needs the address of its head. Set {ADDRESS}, or give --ray-address, like http://127.0.0.1:8265."
        )
    executor = RayExecutor(store, cluster)
    store.liveness[executor.name] = executor.lives
    return executor


def executor_of(record: RunRecord, store: RunStore, cluster: Cluster | None = None) -> Executor:
    """The executor that a run was submitted to, and that alone may start or stop it."""
    return executor_for(record.spec.executor, store, cluster)

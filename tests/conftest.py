"""Every test: no network, one thread, a known seed. The fast suite: a process a core."""

import gc
import os

# transformers and datasets read these while they are imported, so they come before any other import.
os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    TOKENIZERS_PARALLELISM="false",
)

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

_MOST_PROCESSES = 4  # each imports torch, transformers and Streamlit: 15 seconds and a gigabyte


@pytest.hookimpl(tryfirst=True)  # before xdist reads it
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Share the fast suite out among processes, file by file, so that what a file sets up is set up once.

    Only where the whole of it was asked for: tests by name, other marks, `-n 0`, `--pdb` and `-p no:xdist` mean one
    process here, and so does being one of several already.
    """
    if hasattr(config, "workerinput") or not config.pluginmanager.hasplugin("xdist"):
        return
    is_fast = config.option.markexpr in config.getini("addopts")
    if is_fast and config.args_source is config.ArgsSource.TESTPATHS and config.option.numprocesses is None:
        config.option.numprocesses, config.option.dist = "auto", "loadfile"
        config.option.loadscopereorder = False  # long files are met early as it is, short ones fill the end


@pytest.hookimpl(optionalhook=True)  # nobody asks without xdist
def pytest_xdist_auto_num_workers() -> int:
    """A process a core that this one may use, not more than some."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_PROCESSES)


def pytest_configure(config: pytest.Config) -> None:
    """Set up the libraries of tests, in the processes that run some."""
    if config.getoption("dist", "no") != "no":
        return
    import hypothesis  # noqa: PLC0415 - the process that only shares out starts in no time
    import torch  # noqa: PLC0415 - likewise

    torch.set_num_threads(1)  # tiny tensors: threads only wait for each other
    # No deadline, because machines differ; the same examples each time, because a red build must be reproducible.
    hypothesis.settings.register_profile("compecon", deadline=None, max_examples=50, derandomize=True, database=None)
    hypothesis.settings.load_profile("compecon")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays: it would walk a million objects of torch after every little training."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    import torch  # noqa: PLC0415 - as above

    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries under test may draw from the global generator


@pytest.fixture(scope="session", autouse=True)
def _home_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home that is nobody's: a test may neither find what a person measured nor leave anything there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPECON_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of public data sets, named by the environment variable COMPECON_DATA; the test is skipped without it."""
    folder = os.environ.get("COMPECON_DATA")
    if not folder:
        pytest.skip("set COMPECON_DATA to the folder of data sets to run this test")
    path = Path(folder)
    if not path.is_dir():
        pytest.skip(f"COMPECON_DATA names {folder}, which is not a folder")
    return path

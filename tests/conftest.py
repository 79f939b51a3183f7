"""Every test: no network, one thread, a known seed."""

import os

# transformers and datasets read these while they are imported, so they come before any other import.
os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    TOKENIZERS_PARALLELISM="false",
)

from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch

torch.set_num_threads(1)  # tiny tensors: threads only wait for each other

# No deadline, because machines differ; the same examples every time, because a red build must be reproducible.
hypothesis.settings.register_profile("compecon", deadline=None, max_examples=50, derandomize=True, database=None)
hypothesis.settings.load_profile("compecon")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries under test may draw from the global generator


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

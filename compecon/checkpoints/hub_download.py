"""Downloading a checkpoint from the Hugging Face Hub: what it would take first, then exactly that.

Only safetensors, JSON and tokenizer files of one pinned commit are fetched, into the Hub cache; pickles, code and other
frameworks' weights are not even requested. What arrives goes through the gate like any other folder.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from compecon.checkpoints.gate.folder_files import is_plain_name
from compecon.checkpoints.gate.small_files import TOKENIZER_FILES
from compecon.checkpoints.gate.weight_files import INDEX, SINGLE
from compecon.checkpoints.locate import hub_cache, is_repo_id
from compecon.errors import CheckpointError, OfflineError

_SECONDS = 5.0  # for the Hub to answer
_ALWAYS = frozenset({"config.json", "generation_config.json", "README.md", "compecon.json", *TOKENIZER_FILES})
_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SPARE = 1.05  # share of the disk space asked for beyond the files themselves


@dataclass(frozen=True)
class DownloadPlan:
    """What a download would fetch, from `plan_download`.

    Attributes:
        repo_id: Such as ``"owner/name"``.
        revision: Commit, 40 hexadecimal digits: what was planned is what is fetched.
        files: Names, weights last.
        sizes: Bytes of each file.
        licence: As the model card states it; ``None`` if it does not.

    Example:
        >>> plan = DownloadPlan("owner/name", 40 * "0", ("config.json", "model.safetensors"), (600, 5_000_000), "mit")
        >>> plan.total_bytes
        5000600
    """

    repo_id: str
    revision: str
    files: tuple[str, ...]
    sizes: tuple[int, ...]
    licence: str | None

    @property
    def total_bytes(self) -> int:
        """Size of all files."""
        return sum(self.sizes)


def plan_download(repo_id: str, hub: HfApi | None = None) -> DownloadPlan:
    """Ask the Hub what a checkpoint consists of. Fetches nothing.

    Args:
        repo_id: Such as ``"owner/name"``.
        hub: Where to ask; the Hugging Face Hub by default, with the token that ``hf auth login`` stored, if any.

    Returns:
        The files that loading needs, at one pinned commit.

    Raises:
        OfflineError: If the Hub is switched off (``HF_HUB_OFFLINE``) or cannot be reached.
        CheckpointError: If the id is malformed or unknown, access is restricted, or there is nothing to load.

    Example:
        >>> plan_download("not a Hub id")
        Traceback (most recent call last):
        compecon.errors.CheckpointError: 'not a Hub id' is not a Hub id; they look like 'owner/name'.
    """
    if not is_repo_id(repo_id):
        raise CheckpointError(f"{repo_id!r} is not a Hub id; they look like 'owner/name'.")
    with _sentences(repo_id):
        info = (hub or HfApi(library_name="compecon")).model_info(repo_id, files_metadata=True, timeout=_SECONDS)
    if not isinstance(info.sha, str) or _COMMIT.fullmatch(info.sha) is None:
        raise CheckpointError(
            f"The Hub names no commit of {repo_id}, so its content cannot be pinned. Try again later."
        )
    sizes = {sibling.rfilename: int(sibling.size or 0) for sibling in info.siblings or ()}
    files = _wanted(repo_id, sizes)
    return DownloadPlan(repo_id, info.sha, files, tuple(sizes[name] for name in files), _licence(info))


def download(plan: DownloadPlan, progress: Callable[[int, int], None] | None = None, hub: HfApi | None = None) -> Path:
    """Fetch the files of a plan into the Hub cache; those that are there already are not fetched again.

    Args:
        plan: From :func:`plan_download`.
        progress: Called with the bytes that are there and the total, before the first file and after each.
        hub: Where to fetch from; the Hugging Face Hub by default.

    Returns:
        The folder of the commit in the cache. ``load_checkpoint(plan.repo_id)`` finds it too.

    Raises:
        OfflineError: If the Hub is switched off or cannot be reached.
        CheckpointError: If access is restricted or the disk is too full.

    Example:
        >>> folder = download(plan_download("prajjwal1/bert-tiny"))  # doctest: +SKIP
    """
    api = hub or HfApi(library_name="compecon")
    cache = hub_cache()
    _check_space(cache, plan.total_bytes)
    report = progress or (lambda _there, _total: None)
    report(0, plan.total_bytes)
    folder = cache
    for done, name in enumerate(plan.files, start=1):
        with _sentences(plan.repo_id):
            arrived = api.hf_hub_download(
                plan.repo_id, name, revision=plan.revision, cache_dir=cache, etag_timeout=_SECONDS
            )
        folder = Path(arrived).parent
        report(sum(plan.sizes[:done]), plan.total_bytes)
    return folder


def _wanted(repo_id: str, sizes: Mapping[str, int]) -> tuple[str, ...]:
    weights = [SINGLE] if SINGLE in sizes else sorted(name for name in sizes if _SHARD.fullmatch(name))
    if not weights or (weights != [SINGLE] and INDEX not in sizes):
        raise CheckpointError(
            f"{repo_id} has no safetensors weights, and compecon opens no pickles. "
            "Look for a version with model.safetensors, often on the branch of a pull request."
        )
    if "config.json" not in sizes:
        raise CheckpointError(f"{repo_id} has no config.json; it is not a model for transformers. Choose another.")
    index = [] if weights == [SINGLE] else [INDEX]
    others = sorted(name for name in sizes if name in _ALWAYS and is_plain_name(name))
    return (*others, *index, *weights)


def _licence(info: Any) -> str | None:
    card = getattr(info, "card_data", None)
    licence = card.get("license") if card is not None else None
    return licence if isinstance(licence, str) else None


def _check_space(cache: Path, needed: int) -> None:
    existing = next(folder for folder in (cache, *cache.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(existing).free
    if free < needed * _SPARE:
        raise CheckpointError(
            f"The download takes {needed / 1e9:.2f} GB and {free / 1e9:.2f} GB are free in {existing}. "
            "Make room, or point HF_HUB_CACHE to another disk."
        )


@contextmanager
def _sentences(repo_id: str) -> Iterator[None]:
    """Turn what goes wrong with the Hub into one sentence each."""
    if constants.is_offline_mode():
        raise OfflineError("The Hub is switched off by HF_HUB_OFFLINE. Unset it to download.")
    try:
        yield
    except GatedRepoError as error:
        raise CheckpointError(
            f"{repo_id} is gated: accept its terms on https://huggingface.co/{repo_id}, then run `hf auth login`."
        ) from error
    except RepositoryNotFoundError as error:
        raise CheckpointError(f"The Hub has no model {repo_id!r}, or it is private. Check the spelling.") from error
    except HfHubHTTPError as error:
        status = f"status {error.response.status_code}" if error.response is not None else "no answer"
        raise CheckpointError(f"The Hub refused {repo_id} ({status}). Try again later.") from error
    except Exception as error:
        if not _means_unreachable(error):
            raise
        raise OfflineError(
            "The Hub cannot be reached. Check the connection, or use what is on this machine."
        ) from error


def _means_unreachable(error: Exception) -> bool:
    """Whether the network failed. By name for the client's own errors: the Hub's library moved from httpx to httpx2."""
    if isinstance(error, OfflineModeIsEnabled | LocalEntryNotFoundError | ConnectionError | TimeoutError):
        return True
    return any(c.__name__ == "TransportError" and c.__module__.startswith("httpx") for c in type(error).__mro__)

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from compecon.checkpoints.hub_download import DownloadPlan, download, plan_download
from compecon.errors import CheckpointError, OfflineError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SINGLE = {"config.json": 600, "tokenizer.json": 700, "model.safetensors": 5000}


class FakeHub:
    """A Hub with one model, or one failure, that remembers what it was asked for."""

    def __init__(self, files: dict[str, int] | None = None, error: Exception | None = None, sha: str = COMMIT) -> None:
        self.files, self.error, self.sha = files or {}, error, sha
        self.asked: list[tuple[str, str]] = []

    def model_info(self, repo_id: str, *, files_metadata: bool, timeout: float) -> Any:
        assert files_metadata
        assert timeout <= 10
        if self.error:
            raise self.error
        siblings = [SimpleNamespace(rfilename=name, size=size) for name, size in self.files.items()]
        return SimpleNamespace(id=repo_id, sha=self.sha, siblings=siblings, card_data={"license": "apache-2.0"})

    def hf_hub_download(
        self, repo_id: str, filename: str, *, revision: str, cache_dir: Path, etag_timeout: float
    ) -> str:
        assert etag_timeout <= 10
        if self.error:
            raise self.error
        self.asked.append((filename, revision))
        path = cache_dir / f"models--{repo_id.replace('/', '--')}" / "snapshots" / revision / filename
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        return str(path)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def http_error(kind: type[HfHubHTTPError], status: int) -> HfHubHTTPError:
    request = httpx2.Request("GET", "https://huggingface.co/api/models/owner/name")
    return kind("a page of text", response=httpx2.Response(status, request=request))


def test_a_plan_names_the_commit_the_files_their_size_and_the_licence() -> None:
    plan = plan_download("owner/name", FakeHub(SINGLE))
    assert (plan.revision, plan.total_bytes, plan.licence) == (COMMIT, 6300, "apache-2.0")
    assert plan.files == ("config.json", "tokenizer.json", "model.safetensors")


def test_only_safetensors_json_and_tokenizer_files_are_planned() -> None:
    unwanted = [
        "pytorch_model.bin", "modeling_own.py", "tf_model.h5", "onnx/model.onnx", "model.fp16.safetensors",
        "model-00001-of-00002.safetensors", "training_args.bin", "../config.json", "chat_template.jinja",
        "openvino/config.json", "image.png",
    ]  # fmt: skip
    plan = plan_download("owner/name", FakeHub(SINGLE | dict.fromkeys(unwanted, 1)))
    assert set(plan.files) == set(SINGLE)


def test_shards_come_with_their_index() -> None:
    shards = {f"model-0000{number}-of-00002.safetensors": 10 for number in (1, 2)}
    files = {"config.json": 1, "tokenizer.json": 1, "model.safetensors.index.json": 1, **shards}
    assert plan_download("owner/name", FakeHub(files)).total_bytes == 23


@pytest.mark.parametrize(
    "files",
    [
        {"config.json": 1, "pytorch_model.bin": 1},
        {"config.json": 1, "model-00001-of-00002.safetensors": 1},
        {},
    ],
)
def test_a_model_without_safetensors_is_not_planned(files: dict[str, int]) -> None:
    with pytest.raises(CheckpointError, match="no safetensors"):
        plan_download("owner/name", FakeHub(files))


def test_a_model_without_a_config_is_not_planned() -> None:
    with pytest.raises(CheckpointError, match=r"no config\.json"):
        plan_download("owner/name", FakeHub({"model.safetensors": 1}))


@pytest.mark.parametrize("repo", ["", "a b", "../x", "a/b/c", "http://evil.example", "owner/..", "-x/y", "o/n@main"])
def test_a_malformed_id_is_refused_without_asking(repo: str) -> None:
    with pytest.raises(CheckpointError, match="Hub id"):
        plan_download(repo, FakeHub(error=AssertionError("asked")))


@pytest.mark.parametrize("sha", ["main", "", "../../x", None])
def test_without_a_commit_there_is_no_plan(sha: Any) -> None:
    with pytest.raises(CheckpointError, match="commit"):
        plan_download("owner/name", FakeHub(SINGLE, sha=sha))


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (http_error(GatedRepoError, 403), CheckpointError, "hf auth login"),
        (http_error(RepositoryNotFoundError, 404), CheckpointError, "no model 'owner/name'"),
        (http_error(HfHubHTTPError, 503), CheckpointError, "status 503"),
        (OfflineModeIsEnabled("off"), OfflineError, "cannot be reached"),
        (LocalEntryNotFoundError("gone"), OfflineError, "cannot be reached"),
        (httpx2.ConnectError("refused"), OfflineError, "cannot be reached"),
        (httpx2.ReadTimeout("slow"), OfflineError, "cannot be reached"),
        (ConnectionError("refused"), OfflineError, "cannot be reached"),
        (TimeoutError(), OfflineError, "cannot be reached"),
    ],
)
def test_each_failure_of_the_hub_has_a_sentence(error: Exception, kind: type[Exception], words: str) -> None:
    plan = DownloadPlan("owner/name", COMMIT, ("config.json",), (1,), None)
    with pytest.raises(kind, match=words) as planning:
        plan_download("owner/name", FakeHub(error=error))
    with pytest.raises(kind, match=words):
        download(plan, hub=FakeHub(error=error))
    assert "\n" not in str(planning.value)


def test_a_hub_that_is_switched_off_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(OfflineError, match="HF_HUB_OFFLINE"):
        plan_download("owner/name", FakeHub(error=AssertionError("asked")))


def test_a_download_fetches_the_pinned_files_weights_last_and_reports_progress(cache: Path) -> None:
    hub, seen = FakeHub(SINGLE), list[tuple[int, int]]()
    folder = download(plan_download("owner/name", hub), lambda there, total: seen.append((there, total)), hub)
    assert folder == cache / "models--owner--name" / "snapshots" / COMMIT
    assert hub.asked == [(name, COMMIT) for name in ("config.json", "tokenizer.json", "model.safetensors")]
    assert seen == [(0, 6300), (600, 6300), (1300, 6300), (6300, 6300)]


def test_a_full_disk_is_noticed_before_the_first_file(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage(10_000, 4_000, 6_000))
    hub = FakeHub(SINGLE)
    with pytest.raises(CheckpointError, match="free"):
        download(plan_download("owner/name", hub), hub=hub)
    assert hub.asked == []

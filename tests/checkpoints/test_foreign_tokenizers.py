"""Foreign tokenizers: in a process of their own they do what they do in this one, and harm nobody when they explode."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from compecon.checkpoints.encode_text import spans_of, tokenize
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.checkpoints.locate import Location
from compecon.checkpoints.save import save_checkpoint
from compecon.checkpoints.tokenizers import foreign, tokenizer
from compecon.checkpoints.tokenizers.foreign import ForeignTokenizer
from compecon.checkpoints.tokenizers.pieces import spelling_of
from compecon.errors import CheckpointError, TextError
from compecon.evaluation.predict_rows import collator
from compecon.tasks.encode_rows import encode
from compecon.tasks.language_task import Document
from compecon.tasks.task import Split
from tests.checkpoints.conftest import byte_pairs, word_pieces
from tests.support.tokenizers import in_this_process

pytestmark = pytest.mark.slow
Make = Callable[..., Path]
TEXTS = [
    "the film was great",
    "Hello, world!\nIt's a café.",
    "unbelievably 漢字 😀 bad",
    "the",
    "a\u0301 ﷺ",
    "film " * 90,
]
BOMB = "zebra"  # passes every probe: no single character of its pattern sets it off


@pytest.fixture(autouse=True)
def _nothing_tried_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer, "_probed", set())


def spoil(folder: Path, **parts: Any) -> Path:
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | parts))
    return folder


def replacing(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


def splitting(regex: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False}


def sentence_pieces() -> PreTrainedTokenizerFast:
    pieces = [("<unk>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), *((f"▁{word}", -2.0) for word in ("the", "film", "was"))]
    core = Tokenizer(models.Unigram([*pieces, *((chr(i), -9.0) for i in range(33, 127)), ("▁", -5.0)], unk_id=0))
    core.normalizer = normalizers.NFKC()
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    core.decoder = decoders.Metaspace()
    core.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 2)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")


KINDS = {"word pieces": word_pieces, "byte pairs": byte_pairs, "sentence pieces": sentence_pieces}


@pytest.fixture(scope="module", params=KINDS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """One tokenizer in this process, and in its own."""
    folder = tmp_path_factory.mktemp("both")
    KINDS[request.param]().save_pretrained(folder)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == ".json"}
    return in_this_process(files, ""), tokenizer._loaded_apart(files, request.param)


# ---- the same as in this process


@pytest.mark.parametrize(
    "options",
    [
        {}, {"truncation": True, "max_length": 7}, {"add_special_tokens": False}, {"return_token_type_ids": True},
        {"return_attention_mask": False}, {"return_special_tokens_mask": True},
        {"truncation": True, "max_length": 9, "return_special_tokens_mask": True, "return_token_type_ids": True},
    ],
    ids=str,
)  # fmt: skip
def test_texts_and_pairs_become_the_same_tokens(both: tuple[Any, Any], options: dict[str, Any]) -> None:
    here, apart = both
    assert isinstance(apart, ForeignTokenizer)
    assert not isinstance(here, ForeignTokenizer)
    for given in [(TEXTS,), (TEXTS, TEXTS[::-1]), (TEXTS[0],), (TEXTS[0], TEXTS[1]), (TEXTS * 100,)]:
        expected, found = here(*given, **options), apart(*given, **options)
        assert dict(found) == dict(expected)
        assert list(found) == list(expected)


@pytest.mark.parametrize("pair", [None, "the second"])
def test_a_text_on_the_page_stands_where_it_stood(both: tuple[Any, Any], pair: str | None) -> None:
    here, apart = both
    for text in TEXTS:
        if pair and here.num_special_tokens_to_add(pair=True) <= here.num_special_tokens_to_add(pair=False):
            continue
        expected, found = tokenize(here, text, pair), tokenize(apart, text, pair)
        assert dict(found) == dict(expected)
        assert found.word_ids(0) == expected.word_ids(0)
        assert spans_of(found, text, pair) == spans_of(expected, text, pair)
        ids = expected["input_ids"][0]
        assert apart.convert_ids_to_tokens(ids) == here.convert_ids_to_tokens(ids)
        assert apart.decode(ids) == here.decode(ids)
        assert apart.decode(ids, skip_special_tokens=True) == here.decode(ids, skip_special_tokens=True)
        assert apart.convert_ids_to_tokens(ids, skip_special_tokens=True) == here.convert_ids_to_tokens(
            ids, skip_special_tokens=True
        )


def test_it_says_the_same_of_itself(both: tuple[Any, Any]) -> None:
    here, apart = both
    names = [*here.SPECIAL_TOKENS_ATTRIBUTES, *(f"{name}_id" for name in here.SPECIAL_TOKENS_ATTRIBUTES)]
    names += ["vocab_size", "model_max_length", "padding_side", "truncation_side", "model_input_names", "is_fast"]
    names += ["all_special_ids", "all_special_tokens", "pad_token_type_id"]
    assert {name: getattr(apart, name) for name in names} == {name: getattr(here, name) for name in names}
    assert len(apart) == len(here)
    assert apart.get_vocab() == here.get_vocab()
    assert spelling_of(apart) == spelling_of(here)
    assert apart.convert_tokens_to_ids(["the", "nowhere"]) == here.convert_tokens_to_ids(["the", "nowhere"])
    assert [apart.num_special_tokens_to_add(pair) for pair in (False, True)] == [
        here.num_special_tokens_to_add(pair) for pair in (False, True)
    ]


def test_rows_of_a_training_are_padded_the_same(both: tuple[Any, Any]) -> None:
    here, apart = both
    rows = [dict(zip(("input_ids", "attention_mask"), ([1] * n, [1] * n), strict=True)) for n in (1, 5, 3)]
    padded = [collator(each)([dict(row) for row in rows]) for each in (here, apart)]
    assert {name: part.tolist() for name, part in padded[1].items()} == {
        name: part.tolist() for name, part in padded[0].items()
    }


def test_a_copy_is_a_tokenizer_of_its_own_with_the_same_process(both: tuple[Any, Any]) -> None:
    _, apart = both
    before = apart.pad_token
    other = copy.deepcopy(apart)
    other.pad_token = apart.convert_ids_to_tokens(5)
    assert (apart.pad_token, other.pad_token_id) == (before, 5)
    assert other(TEXTS) == apart(TEXTS)


def test_what_is_saved_reads_the_same(both: tuple[Any, Any], tmp_path: Path) -> None:
    here, apart = both
    apart(TEXTS, truncation=True, max_length=5)
    apart.save_pretrained(tmp_path)
    again = in_this_process({path.name: path.read_bytes() for path in tmp_path.iterdir()}, "")
    assert dict(again(TEXTS)) == dict(here(TEXTS))


def test_a_checkpoint_is_saved_and_loaded_again(make: Make, tmp_path: Path) -> None:
    first = load_checkpoint(make("gpt2"))
    second = load_checkpoint(save_checkpoint(first.model, first.tokenizer, tmp_path / "again"))
    assert isinstance(second.tokenizer, ForeignTokenizer)
    assert second.encode("the film").tokens == first.encode("the film").tokens


# ---- whose process it is


def test_two_models_share_a_process_which_stays_and_ends_with_them(make: Make) -> None:
    folder = make("gpt2")
    first, second = load_checkpoint(folder), load_checkpoint(folder)
    assert pid_of(first) == pid_of(second)
    process = psutil.Process(pid_of(first))
    first.encode("the film")
    assert "torch" not in " ".join(mapped.path for mapped in process.memory_maps()) if psutil.LINUX else True
    del first, second
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def pid_of(checkpoint: Checkpoint) -> int:
    pid: int | None = checkpoint.tokenizer._process.pid
    assert pid is not None
    return pid


def test_a_bundled_tokenizer_stays_in_this_process(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make("gpt2")
    monkeypatch.setattr(
        "compecon.checkpoints.load.locate", lambda source: Location(Path(source), "bundled", folder.parent)
    )
    assert not isinstance(load_checkpoint(folder).tokenizer, ForeignTokenizer)


def test_a_checkpoint_trained_from_a_bundled_one_has_its_tokenizer(tmp_path: Path) -> None:
    ours = load_checkpoint("similarity")
    folder = save_checkpoint(ours.model, ours.tokenizer, tmp_path / "trained")
    assert not isinstance(load_checkpoint(folder).tokenizer, ForeignTokenizer)
    settings = folder / "tokenizer_config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "padding_side": "left"}))
    assert isinstance(load_checkpoint(folder).tokenizer, ForeignTokenizer)


# ---- what explodes


@pytest.mark.parametrize(
    ("part", "program"),
    [
        ("pre_tokenizer", splitting(r"(a+)+$")),
        ("pre_tokenizer", splitting(r"(?:(?:Q|Q)+)+!$")),
        (
            "normalizer",
            {"type": "Sequence", "normalizers": [replacing({"String": "ʘ"}, "ʘ" * 100) for _ in range(5)]},
        ),
        ("normalizer", replacing({"Regex": ""}, "boo" * 100_000)),
    ],
    ids=["nested", "alternatives", "expansion of a rare character", "empty pattern"],
)
def test_a_tokenizer_that_explodes_on_what_sets_it_off_is_refused(
    make: Make, monkeypatch: pytest.MonkeyPatch, part: str, program: dict[str, Any]
) -> None:
    monkeypatch.setattr(foreign, "LIMITS", replace(foreign.LIMITS, cpu_s=3.0))
    with pytest.raises(CheckpointError, match="cannot be used"):
        load_checkpoint(spoil(make("gpt2"), **{part: program}))


GROWS = {"type": "Sequence", "normalizers": [replacing({"Regex": BOMB}, BOMB * 10) for _ in range(12)]}
HANGS = splitting(f"((?:{BOMB})+)+$")


@pytest.fixture(params=[("normalizer", GROWS), ("pre_tokenizer", HANGS)], ids=["memory", "time"])
def treacherous(request: pytest.FixtureRequest, make: Make, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    """Passes every probe and blows up on one word."""
    monkeypatch.setattr(foreign, "LIMITS", replace(foreign.LIMITS, cpu_s=3.0))
    part, program = request.param
    return load_checkpoint(spoil(make("gpt2"), **{part: program}))


def test_an_ordinary_word_that_blows_up_is_a_sentence_and_the_next_text_is_read(treacherous: Checkpoint) -> None:
    before = treacherous.encode("the film").tokens
    with pytest.raises(TextError, match=r"(memory|processor time|tokens of|broke down)"):
        treacherous.encode(f"the {BOMB * 40}!")
    assert treacherous.encode("the film").tokens == before


def test_a_row_of_a_data_set_that_blows_up_is_named(treacherous: Checkpoint) -> None:
    texts = ["the film was great"] * 300
    texts[290] = f"the {BOMB * 40}!"
    rows = Split(tuple(texts), (), np.zeros(len(texts)))
    with pytest.raises(TextError, match="row 291"):
        encode(treacherous.tokenizer, rows, 32)
    last = Split((*texts[:256], texts[290]), (), np.zeros(257))
    with pytest.raises(TextError, match="row 257"):
        encode(treacherous.tokenizer, last, 32)
    assert len(encode(treacherous.tokenizer, rows.head(290), 32)) == 290
    documents = tuple(Document(text, len(text.split())) for text in texts)
    with pytest.raises(TextError, match="row 291"):
        encode(treacherous.tokenizer, documents, 32)


def test_texts_that_are_too_much_together_are_read_one_by_one(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load_checkpoint(make("gpt2")).tokenizer
    together = found(TEXTS)
    ask = found._process.ask

    def refuse(question: Any) -> Any:
        if len(question.body.get("texts", ())) > 1:
            raise foreign.ChildError("it took more than 1 seconds of processor time")
        return ask(question)

    monkeypatch.setattr(found._process, "ask", refuse)
    assert dict(found(TEXTS)) == dict(together)


@pytest.mark.parametrize("content", ["", '{"model": {"type": "Nonsense"}}'])
def test_a_damaged_tokenizer_is_a_sentence(make: Make, content: str) -> None:
    folder = make("gpt2")
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(CheckpointError, match="tokenizer") as refusal:
        load_checkpoint(folder)
    assert "\n" not in str(refusal.value)


def test_a_killed_process_is_started_again(make: Make) -> None:
    checkpoint = load_checkpoint(make("gpt2"))
    tokens, pid = checkpoint.encode("the film").tokens, pid_of(checkpoint)
    psutil.Process(pid).kill()
    psutil.Process(pid).wait(10) if psutil.pid_exists(pid) else None
    assert checkpoint.encode("the film").tokens == tokens
    assert pid_of(checkpoint) != pid


def test_what_it_does_not_offer_is_said(both: tuple[Any, PreTrainedTokenizerBase]) -> None:
    for option in ("return_overflowing_tokens", "is_split_into_words"):
        with pytest.raises(NotImplementedError):
            both[1](TEXTS, **{option: True})

"""A tokenizer of unknown origin: it lives in a limited child process, which the tokenizer here asks."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final

from transformers import BatchEncoding, PreTrainedTokenizerBase
from typing_extensions import override

from compecon import children
from compecon.checkpoints.gate.small_files import TOKENIZER_FILES
from compecon.children.limited import LimitedProcess, Limits
from compecon.children.messages import Message
from compecon.errors import CheckpointError, ChildError, TextError, TextOfRowError

LIMITS = Limits()  # as in the process itself
_ROWS = 256  # texts in one question: what a row may cost together, and how many are read again to find the bad one
_VARIABLES = {
    "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "error",
}  # fmt: skip
_SHOWN = 40  # characters of a text that is quoted in an error


@final
@dataclass(frozen=True)
class Alignment:
    """Where the tokens of one text or pair stand, as the encodings of the ``tokenizers`` library say it."""

    ids: list[int]  # of the tokens
    offsets: list[tuple[int, int]]  # first character of each token, and one past its last
    word_ids: list[int | None]  # the word each belongs to; None for tokens that were added
    sequence_ids: list[int | None]  # the text each belongs to, 0 or 1; None for tokens that were added


class ForeignTokenizer(PreTrainedTokenizerBase):
    """Does what compecon needs of a tokenizer by asking the process that holds it.

    Chat templates, overflowing pieces and texts cut into words beforehand are not offered: nothing here needs them.
    """

    def __init__(self, process: LimitedProcess, said: Mapping[str, Any]) -> None:
        """Take a process of `foreign_process`, and what it reported when it had loaded the tokenizer."""
        self._process, self._said = process, said
        self._token_of: dict[int, str | None] = {}
        self._id_of: dict[str, int] = {}
        self.decoder_state: str | None = said["decoder"]
        settings = {**said["special"], "extra_special_tokens": said["extra"], **said["settings"]}
        super().__init__(**settings)  # type: ignore[no-untyped-call]

    @property
    def is_fast(self) -> bool:
        """Whether it is written in Rust, and knows where its tokens stand."""
        return bool(self._said["is_fast"])

    @property
    @override
    def vocab_size(self) -> int:
        return int(self._said["vocabulary"])

    @override
    def __len__(self) -> int:
        return int(self._said["size"])

    @override
    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        return int(self._said["added"][pair])

    @override
    def get_vocab(self) -> dict[str, int]:
        return dict(self._ask("vocabulary").body["vocabulary"])

    @override
    def convert_ids_to_tokens(self, ids: int | list[int], skip_special_tokens: bool = False) -> Any:
        wanted = [ids] if isinstance(ids, int) else [int(number) for number in ids]
        if new := sorted({number for number in wanted if number not in self._token_of}):
            self._token_of.update(zip(new, self._ask("tokens", ids=new).body["tokens"], strict=True))
        if isinstance(ids, int):
            return self._token_of[ids]
        left_out = set(self.all_special_ids) if skip_special_tokens else set()
        return [self._token_of[number] for number in wanted if number not in left_out]

    @override
    def convert_tokens_to_ids(self, tokens: str | list[str]) -> Any:
        wanted = [tokens] if isinstance(tokens, str) else list(tokens)
        if new := [token for token in dict.fromkeys(wanted) if token not in self._id_of]:
            self._id_of.update(zip(new, self._ask("ids", tokens=new).body["ids"], strict=True))
        return self._id_of[tokens] if isinstance(tokens, str) else [self._id_of[token] for token in wanted]

    @override
    def save_pretrained(  # type: ignore[override]  # the files have no other form
        self, save_directory: str | Path, *_given: Any, **_named: Any
    ) -> tuple[str, ...]:
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for name, content in self._ask("files").arrays.items():
            if name in TOKENIZER_FILES:
                (folder / name).write_bytes(content.tobytes())
                written.append(str(folder / name))
        return tuple(written)

    @override
    def _decode(
        self,
        token_ids: int | list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> str:
        wanted = [token_ids] if isinstance(token_ids, int) else list(token_ids)
        options = {
            "skip_special_tokens": skip_special_tokens,
            "clean_up_tokenization_spaces": clean_up_tokenization_spaces,
        }
        return str(self._ask("decode", ids=wanted, options=options).body["text"])

    @override
    def _encode_plus(  # type: ignore[override]  # its arguments go to the other process by name
        self, text: Any, text_pair: Any = None, **options: Any
    ) -> BatchEncoding:
        is_batch = not isinstance(text, str)
        texts = list(text) if is_batch else [text]
        pairs = (list(text_pair) if is_batch else [text_pair]) if text_pair else None
        asked = _options(options, self.model_input_names)
        columns: dict[str, list[list[int]]] = {}
        aligned: Any = None
        for begin in range(0, len(texts), _ROWS):
            part = slice(begin, begin + _ROWS)
            for answer in self._read(texts[part], pairs and pairs[part], asked, begin if len(texts) > 1 else None):
                _append(columns, answer)
                aligned = _alignment(answer, columns) if len(texts) == 1 else None
        found = BatchEncoding(columns, [aligned] if aligned else None, n_sequences=1 if pairs is None else 2)
        if options.get("padding_strategy") not in (None, "do_not_pad") or options.get("return_tensors"):
            names = ("max_length", "pad_to_multiple_of", "padding_side", "return_tensors")
            wanted: dict[str, Any] = {name: options.get(name) for name in names}
            return self.pad(found, padding=options["padding_strategy"], **wanted)
        if not is_batch:
            return BatchEncoding(
                {name: rows[0] for name, rows in columns.items()}, found.encodings, n_sequences=found.n_sequences
            )
        return found

    def _read(
        self, texts: list[str], pairs: list[str] | None, options: Mapping[str, Any], first: int | None
    ) -> list[Message]:
        """What the process makes of some texts; if they are too much for it together, of one after the other."""
        asked = {"options": dict(options), "aligned": len(texts) == 1}
        try:
            return [self._process.ask(Message({"ask": "encode", "texts": texts, "pairs": pairs, **asked}))]
        except ChildError as error:
            if len(texts) > 1:
                rows = ((row, [text], pairs and [pairs[row]]) for row, text in enumerate(texts))
                return [one for row, text, pair in rows for one in self._read(text, pair, options, (first or 0) + row)]
            if first is not None:
                raise TextOfRowError(first, _shortened(texts[0]), str(error)) from error
            raise TextError(f"The tokenizer cannot read this text: {error}. Change it, or the checkpoint.") from error

    def _ask(self, ask: str, **more: Any) -> Message:
        try:
            return self._process.ask(Message({"ask": ask, **more}))
        except ChildError as error:
            raise CheckpointError(f"The tokenizer failed: {error}. Use another checkpoint.") from error


def foreign_process(files: Mapping[str, bytes]) -> LimitedProcess:
    """A process that holds a tokenizer, from its files and the config; it starts at the first question."""
    folder = Path(tempfile.mkdtemp(prefix="compecon-tokenizer-"))
    process = LimitedProcess(
        _starter(folder), LIMITS, Message({"ask": "load"}), partial(shutil.rmtree, folder, ignore_errors=True)
    )
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return process


def _starter(folder: Path) -> Callable[[], subprocess.Popen[bytes]]:
    """What starts the process in the folder with its files, which exists as long as it can be started."""

    def start() -> subprocess.Popen[bytes]:
        return children.start(
            *("-m", "compecon.checkpoints.tokenizers.tokenizer_child", str(folder)),
            folder=folder,
            variables=children.environment(_VARIABLES, bare=True),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    return start


def _options(given: Mapping[str, Any], inputs: Sequence[str]) -> dict[str, Any]:
    """What the process is to do with the texts, in JSON."""
    if given.get("return_overflowing_tokens") or given.get("is_split_into_words") or given.get("stride"):
        raise NotImplementedError("A tokenizer of unknown origin reads whole texts and returns no overflowing tokens.")
    strategy = given.get("truncation_strategy", "do_not_truncate")
    wanted = {f"return_{name}": given.get(f"return_{name}") for name in ("token_type_ids", "attention_mask")}
    return {
        "add_special_tokens": given.get("add_special_tokens", True),
        "truncation": str(getattr(strategy, "value", strategy)),
        "max_length": given.get("max_length"),
        "return_special_tokens_mask": bool(given.get("return_special_tokens_mask")),
        **{name: name.removeprefix("return_") in inputs if asked is None else asked for name, asked in wanted.items()},
    }


def _append(columns: dict[str, list[list[int]]], answer: Message) -> None:
    ends = answer.arrays["lengths"].cumsum().tolist()
    for name in answer.body["names"]:
        numbers = answer.arrays[name].tolist()
        columns.setdefault(name, []).extend(numbers[begin:end] for begin, end in zip([0, *ends], ends, strict=False))


def _alignment(answer: Message, columns: Mapping[str, list[list[int]]]) -> Alignment | None:
    if "offsets" not in answer.arrays:
        return None
    words, sequences = (
        [None if number < 0 else number for number in answer.arrays[name].tolist()] for name in ("words", "sequences")
    )
    offsets = [(begin, end) for begin, end in answer.arrays["offsets"].tolist()]
    return Alignment(columns["input_ids"][0], offsets, words, sequences)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

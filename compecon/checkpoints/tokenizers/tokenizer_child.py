"""The child's side of a foreign tokenizer: it loads the tokenizer and answers what compecon asks of one.

A tokenizer is a small program: a regular expression can take exponential time, a chain of normalizers can turn ten
characters into ten billion. So it runs here, for as long as it is used, and never in the process of the dashboard or of
a training. torch is kept out: a tokenizer does not need it, and it would cost each child 200 MB.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # and not where this is imported, such as by a search for doctests
    sys.modules["torch"] = None  # type: ignore[assignment]  # before transformers looks for it

import numpy as np
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from compecon.checkpoints.tokenizers.panics import panics_as_errors, reason
from compecon.checkpoints.tokenizers.tokenizer_files import saved_files
from compecon.children.limited import Limits
from compecon.children.messages import Message
from compecon.children.serve import serve

_MOST_PROBES = 200
_PROBES = (
    "The cat sat on the mat; it wasn't 3.14159 metres long!",
    "Ünïcödé, 漢字, 😀 and\ttabs\n\nlines",
    "a" * 2000 + "!",
    "1" * 500 + " " * 500 + "-" * 500,
    "".join(map(chr, range(32, 127))) * 4,
)
# A character of three bytes that compatibility normalization spells out becomes some fifty byte-level tokens at most.
_MOST_TOKENS_A_CHARACTER, _SPARE_TOKENS = 60, 1000
_COLUMNS = frozenset({"input_ids", "attention_mask", "token_type_ids", "special_tokens_mask"})


class Service:
    """A loaded tokenizer that answers messages by their "ask"."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: PreTrainedTokenizerBase | None = None
        self._asked: Mapping[str, Callable[[Message], Message]] = {
            "load": self._load, "probe": self._probe, "encode": self._encode, "tokens": self._tokens, "ids": self._ids,
            "decode": self._decode, "vocabulary": self._vocabulary, "files": self._files,
        }  # fmt: skip

    def answer(self, question: Message) -> Message:
        """Answer a question."""
        with panics_as_errors():
            return self._asked[question.body["ask"]](question)

    @property
    def _tokenizer(self) -> Any:
        if self._loaded is None:
            self._loaded = AutoTokenizer.from_pretrained(
                str(self._folder), trust_remote_code=False, local_files_only=True
            )
        return self._loaded

    def _load(self, _question: Message) -> Message:
        tokenizer = self._tokenizer
        decoder = getattr(getattr(tokenizer, "backend_tokenizer", None), "decoder", None)
        return Message(
            {
                "special": {name: str(token) for name, token in _special(tokenizer).items()},
                "extra": [str(token) for token in tokenizer.extra_special_tokens],
                "settings": {
                    "model_max_length": tokenizer.model_max_length,
                    "padding_side": tokenizer.padding_side,
                    "truncation_side": tokenizer.truncation_side,
                    "model_input_names": list(tokenizer.model_input_names),
                },
                "is_fast": bool(tokenizer.is_fast),
                "size": len(tokenizer),
                "vocabulary": int(tokenizer.vocab_size),
                "added": [
                    tokenizer.num_special_tokens_to_add(pair=False),
                    tokenizer.num_special_tokens_to_add(pair=True),
                ],
                "decoder": None if decoder is None else decoder.__getstate__().decode("utf-8"),
            }
        )

    def _probe(self, _question: Message) -> Message:
        """Read texts that the tokenizer's own rules react to: what explodes on loading or on these is refused."""
        for probe in _probes_of(self._folder):
            _check_length(len(self._plain([probe])["input_ids"][0]), [probe], [])
        return Message({})

    def _plain(self, texts: list[str]) -> Any:
        return self._tokenizer(texts, truncation=False, padding=False, verbose=False)

    def _encode(self, question: Message) -> Message:
        texts, pairs = question.body["texts"], question.body["pairs"]
        found = self._tokenizer(texts, pairs, padding=False, verbose=False, **question.body["options"])
        rows = found["input_ids"]
        _check_length(sum(map(len, rows)), texts, pairs or [])
        arrays = {"lengths": np.fromiter(map(len, rows), np.int64, len(rows))}
        names = [name for name in found if name in _COLUMNS]
        arrays |= {name: np.fromiter(chain.from_iterable(found[name]), np.int32) for name in names}
        encodings = found.encodings
        if encodings and question.body["aligned"]:
            arrays["offsets"] = np.asarray([each.offsets for each in encodings[:1]], np.int64).reshape(-1, 2)
            arrays["words"] = _with_gaps(encodings[0].word_ids)
            arrays["sequences"] = _with_gaps(encodings[0].sequence_ids)
        return Message({"names": names}, arrays)

    def _tokens(self, question: Message) -> Message:
        return Message({"tokens": self._tokenizer.convert_ids_to_tokens(question.body["ids"])})

    def _ids(self, question: Message) -> Message:
        return Message({"ids": self._tokenizer.convert_tokens_to_ids(question.body["tokens"])})

    def _decode(self, question: Message) -> Message:
        return Message({"text": self._tokenizer.decode(question.body["ids"], **question.body["options"])})

    def _vocabulary(self, _question: Message) -> Message:
        return Message({"vocabulary": self._tokenizer.get_vocab()})

    def _files(self, _question: Message) -> Message:
        files = saved_files(self._tokenizer, self._folder)
        return Message({}, {name: np.frombuffer(content, np.uint8) for name, content in files.items()})


def _special(tokenizer: Any) -> dict[str, Any]:
    named = {name: getattr(tokenizer, name) for name in tokenizer.SPECIAL_TOKENS_ATTRIBUTES}
    return {name: token for name, token in named.items() if token is not None}


def _with_gaps(numbers: list[int | None]) -> np.ndarray:
    return np.fromiter((-1 if number is None else number for number in numbers), np.int64)


def _check_length(n_tokens: int, texts: list[str], pairs: list[str]) -> None:
    n_characters = sum(map(len, (*texts, *pairs)))
    if n_tokens > _MOST_TOKENS_A_CHARACTER * n_characters + _SPARE_TOKENS * len(texts):
        raise ValueError(f"it makes {n_tokens:,} tokens of {n_characters:,} characters")


def _probes_of(folder: Path) -> Iterator[str]:
    """Ordinary texts and long runs, then each literal and each character of a pattern in a folder's tokenizer.json."""
    yield from _PROBES
    path = folder / "tokenizer.json"
    if not path.is_file():
        return
    literals: dict[str, None] = {}
    for key, value in _strings(json.loads(path.read_text(encoding="utf-8")), depth=0):
        if key == "String":
            literals[value[:50]] = None
        elif key == "Regex":
            literals |= dict.fromkeys(character for character in value[:2000] if not character.isspace())
    for literal in list(literals)[:_MOST_PROBES]:
        yield literal * 10
        yield literal * 300 + "!"
        yield literal * 300 + "☃"  # an end that hardly any pattern expects, so that it looks for another way to match


def _strings(value: Any, depth: int) -> Iterator[tuple[str, str]]:
    """Strings under a key, anywhere but in the vocabulary, which is large and not a program."""
    if depth > 30:
        return
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        if isinstance(item, str):
            yield str(key), item
        elif key not in ("model", "added_tokens"):
            yield from _strings(item, depth + 1)


if __name__ == "__main__":
    try:
        serve(Service(Path(sys.argv[1])).answer, Limits())
    except Exception as error:  # noqa: BLE001 - the other side sees that it ended
        sys.exit(reason(error))

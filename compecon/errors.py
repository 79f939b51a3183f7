"""Exceptions that a caller may want to catch. Everything else is a ValueError or TypeError.

Each message is one or two sentences: what is wrong, what was given, what to do.
"""

from collections.abc import Iterable


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A question to end the message about an unknown name with; "" if none of the known names is close to it."""
    from difflib import get_close_matches  # noqa: PLC0415 - only when something went wrong

    by_lower = {each.lower(): each for each in names}
    close = get_close_matches(name[:100].lower(), by_lower, n=1)
    return f" Did you mean {by_lower[close[0]]}?" if close else ""


class CompeconError(Exception):
    """Base class of the errors that compecon raises on purpose; the message says what is wrong and what to do.

    Examples:
        >>> from compecon import CompeconError, load_checkpoint
        >>> try:
        ...     load_checkpoint("sentimant")
        ... except CompeconError as error:
        ...     print("sentiment" in str(error))
        True
    """


class FileError(CompeconError, ValueError):
    """A file was refused: not a regular file, too large, not UTF-8, or not what its format says."""


class UnsupportedModelError(CompeconError, TypeError):
    """The model's attention cannot be observed or budgeted."""


class NoHeadLeftError(UnsupportedModelError):
    """All heads of the model were removed: it can be run and measured, but has no attention to look at."""


class AttentionError(CompeconError, ValueError):
    """A model's attention could not be computed: its scores are not finite, or a budget does not suit its layers."""


class CheckpointError(CompeconError, ValueError):
    """A checkpoint was refused: missing, damaged, unsafe, or too large for this machine."""


class UnwantedError(CompeconError):
    """A load was left because nobody waits for the model any more."""


class TextError(CompeconError, ValueError):
    """A text cannot be shown: empty, too long, or nothing but padding."""


class TextOfRowError(TextError):
    """A text among several cannot be read."""

    def __init__(self, row: int, text: str, why: str) -> None:
        """Take the place of the text, from 0, its beginning, and what went wrong."""
        super().__init__(
            f"The tokenizer cannot read the text of row {row + 1:,}, {text!r}: {why}. Change it, or the checkpoint."
        )
        self._row, self._text, self._why = row, text, why

    def after(self, rows: int) -> "TextOfRowError":
        """The same where so many rows come before those that it was counted among."""
        return TextOfRowError(self._row + rows, self._text, self._why)


class TextTooLongError(TextError):
    """A text has more tokens than can be read at once."""


_MEMORY_WORDS = (
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
    "std::bad_alloc",
    "not enough memory",
    "failed to map segment",  # from the dynamic linker
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, of whatever library, says that memory ran out."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _MEMORY_WORDS)


class ChildError(CompeconError, RuntimeError):
    """A child process died, broke a limit, or refused a request."""


class OfflineError(CompeconError, ConnectionError):
    """The Hub is needed and cannot be reached."""


class TrainingInterruptedError(CompeconError, RuntimeError):
    """A training was stopped before its end; it can be resumed."""


class TaskError(CompeconError, ValueError):
    """A task was refused: unknown, without the rows that are needed, or not what the model was made for."""


class RunError(CompeconError, ValueError):
    """A run was refused, does not exist, or cannot do what was requested."""


class NewerError(RunError):
    """A file was written by a newer compecon; it is left alone."""


class StreamError(CompeconError, ValueError):
    """A file of queries was refused: damaged, too large, without a column, or with a cell that is not an amount."""


class SettingError(CompeconError, ValueError):
    """A setting was refused: `setting` is its name, `why` what is wrong with it."""

    def __init__(self, setting: str, why: str) -> None:
        super().__init__(f"{setting}: {why}")
        self.setting, self.why = setting, why

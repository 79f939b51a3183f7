"""Every task by name, and what it is. Naming a task reads nothing; `read_task` reads it.

Importing this module loads neither torch nor transformers nor datasets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast, final
from urllib.parse import parse_qsl

from compecon.errors import OfflineError, TaskError
from compecon.tasks import files, glue, hub, language_modeling, made, wikitext, xnli
from compecon.tasks.definition import Definition
from compecon.tasks.language_task import LanguageTask
from compecon.tasks.local import read_table
from compecon.tasks.metrics import Metric, perplexity
from compecon.tasks.task import Kind, Task

AnyTask = Task | LanguageTask
FILES = "files:"  # begins the name of a task of local files
_REFUSED = {"ax": "GLUE's diagnostic set has no public labels: nothing can be learnt from it or measured on it."}
_OPTIONS = ("text", "label", "pair", "kind", "seed")


@final
@dataclass(frozen=True)
class TaskEntry:
    """What a task is, before any of its rows are read.

    Attributes:
        name: What it is called by.
        title: The question it asks, for people.
        kind: Classes, scores, or language modelling.
        metrics: The first is what is chosen by.
        source: Where on the Hub it comes from, unless a data folder is given; or that it is made here.
        licence: Terms of its data, in words.
        read: Reads it from the Hub, or makes it.
        from_folder: Reads it from a data folder; None if there is no such reader.
        is_made: Whether this package makes it: it then needs neither the Hub nor a data folder, and is synthetic.
    """

    name: str
    title: str
    kind: Kind
    metrics: tuple[Metric, ...]
    source: str
    licence: str
    read: Callable[[], AnyTask]
    from_folder: Callable[[Path], AnyTask] | None = None
    is_made: bool = False


def _defined(
    about: Definition,
    source: str,
    read: Callable[[], AnyTask],
    from_folder: Callable[[Path], AnyTask] | None = None,
) -> TaskEntry:
    return TaskEntry(about.name, about.title, about.kind, about.metrics, source, about.licence, read, from_folder)


def _language(
    name: str, title: str, source: str, licence: str, readers: tuple[Callable[[], AnyTask], Callable[[Path], AnyTask]]
) -> TaskEntry:
    return TaskEntry(name, title, "language", (perplexity,), source, licence, *readers)


def _entries() -> list[TaskEntry]:
    folders: Mapping[str, Callable[[Path], Task]] = {
        "cola": files.read_cola,
        "sst2": files.read_sst2,
        "stsb": files.read_stsb,
        "mnli": files.read_mnli,
    }
    of_glue = [
        _defined(table.definition, f"nyu-mll/glue {name}", partial(hub.hub_glue, name), folders.get(name))
        for name, table in hub.GLUE.items()
    ]
    of_xnli = [
        _defined(
            xnli.definition(language),
            f"facebook/xnli {language}",
            partial(xnli.hub_xnli, language),
            partial(xnli.read_xnli, language=language),
        )
        for language in xnli.LANGUAGES
    ]
    of_wikitext = [
        _language(
            name,
            f"Predict the next token of {size} million words of encyclopedia articles.",
            f"Salesforce/wikitext {name}-raw-v1",
            "CC BY-SA",
            (partial(wikitext.hub_wikitext, name), partial(wikitext.read_wikitext, name=name)),
        )
        for name, size in (("wikitext-2", 2), ("wikitext-103", 103))
    ]
    corpus = _language(
        "corpus",
        "Predict the next token of a small mix of articles and stories.",
        "Salesforce/wikitext wikitext-2-raw-v1 and roneneldan/TinyStories",
        "CC BY-SA; CDLA-Sharing 1.0; the Brown corpus of a data folder is for non-commercial use",
        (language_modeling.hub_corpus, language_modeling.read_corpus),
    )
    sick = _defined(glue.SICK, "RobZamp/sick", hub.hub_sick, files.read_sick)
    reviews = replace(_defined(made.REVIEWS, made.SOURCE, made.made_reviews), is_made=True)
    return [*of_glue, sick, *of_xnli, *of_wikitext, corpus, reviews]


TASKS: Mapping[str, TaskEntry] = {entry.name: entry for entry in _entries()}
"""What can be asked for by name, besides ``files:PATH``."""


def read_task(name: str, data: Path | None = None, *, offline: bool = False) -> AnyTask:
    """Read a task by its name.

    A name may also be ``files:PATH``, or ``files:PATH?text=COLUMN&label=COLUMN&pair=COLUMN&kind=KIND&seed=NUMBER`` with
    any of these, for `read_table` on local files; columns are "text" and "label" unless said otherwise. Column names
    are spelled as in a URL, and a path with a question mark in it needs `read_table` itself.

    Args:
        name: One of `TASKS`, or of local files.
        data: Data folder in the layout of `files`, `xnli`, `wikitext` and `language_modeling`; the Hub if None. A task
            that is made here looks at neither.
        offline: Refuse to ask the Hub. To read what its cache holds, set HF_HUB_OFFLINE=1 in the environment instead.

    Raises:
        TaskError: If the name is unknown, or the task is refused.
        FileNotFoundError: If files are absent.
        OfflineError: If the Hub is needed and out of reach, or `offline`.
    """
    if name.startswith(FILES):
        return _read_files(name.removeprefix(FILES))
    entry = entry_of(name)
    if entry.is_made:
        return entry.read()
    if data is not None:
        if entry.from_folder is None:
            readable = ", ".join(other.name for other in TASKS.values() if other.from_folder is not None)
            raise TaskError(f"{name} is not read from a data folder, only {readable}. Leave out the folder.")
        return entry.from_folder(data)
    if offline:
        raise OfflineError(
            f"{name} comes from the Hub ({entry.source}), which is not to be asked. Pass a data folder, or set "
            "HF_HUB_OFFLINE=1 to read what its cache holds."
        )
    return entry.read()


def entry_of(name: str) -> TaskEntry:
    """What is known of a task.

    Raises:
        TaskError: If it is unknown, with the names there are, or known and refused, with the reason.
    """
    if name in _REFUSED:
        raise TaskError(f"{name} is refused: {_REFUSED[name]}")
    if name not in TASKS:
        close = get_close_matches(name, TASKS, n=1)
        meant = f" Did you mean {close[0]}?" if close else ""
        raise TaskError(f"no task is called {name!r}.{meant} There are: {', '.join(TASKS)}, and {FILES}PATH.")
    return TASKS[name]


def _read_files(address: str) -> Task:
    path, _, query = address.partition("?")
    try:
        options: dict[str, Any] = dict(parse_qsl(query, strict_parsing=True)) if query else {}
        if unknown := sorted(set(options) - set(_OPTIONS)):
            raise ValueError(f"unknown: {', '.join(unknown)}")
        seed = int(options.pop("seed", 0))
    except ValueError as error:
        raise TaskError(f"{query!r} is not of the form text=COLUMN&label=COLUMN ({error}).") from error
    kind = cast(Literal["auto", "classification", "regression"], options.pop("kind", "auto"))
    return read_table(Path(path).expanduser(), **{"text": "text", "label": "label", **options}, kind=kind, seed=seed)

"""Every task by name, and what it is. Naming a task reads nothing; `read_task` reads it.

Importing this module loads neither torch nor transformers nor datasets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, final
from urllib.parse import parse_qsl, unquote_plus

from compecon.errors import OfflineError, TaskError, did_you_mean
from compecon.registry import Method, Registry
from compecon.tasks.definition import Definition
from compecon.tasks.labels import spelled
from compecon.tasks.language_task import LanguageTask
from compecon.tasks.readers import data_folder as files
from compecon.tasks.readers import folder_layout as layouts
from compecon.tasks.readers import glue, language_modeling, xnli
from compecon.tasks.readers import hub_tables as hub
from compecon.tasks.readers import made_reviews as made
from compecon.tasks.readers.folder_layout import Layout
from compecon.tasks.readers.local_files import read_table
from compecon.tasks.task import Kind, Task
from compecon.tasks.task_metrics import Metric, perplexity

AnyTask = Task | LanguageTask
FILES = "files:"  # begins the name of a task of local files
_REFUSED = {"ax": "GLUE's diagnostic set has no public labels: nothing can be learnt from it or measured on it."}
_LABELS = "labels="
_OPTIONS = ("text", "label", "pair", "kind", "seed", "labels", "encoding")


@final
@dataclass(frozen=True, kw_only=True)
class TaskEntry(Method):
    """What a task is, before any of its rows are read; its factory reads them from the Hub, or makes them."""

    title: str  # the question it asks
    kind: Kind  # classes, scores, or language modelling
    labels: tuple[str, ...] = ()  # class names by index; one name for a score; empty for language modelling
    is_pair: bool = False  # whether a row is two texts
    metrics: tuple[Metric, ...]  # the first is what is chosen by
    source: str  # where on the Hub it comes from, unless a data folder is given; or that it is made here
    licence: str  # terms of its data, in words
    from_folder: Callable[[Path], AnyTask] | None = None  # reads it from a data folder, if there is such a reader
    # what that folder must hold, checked before it is read; None to leave that to the reader
    layout: Layout | None = None
    # whether its factory makes it: it then needs neither the Hub nor a data folder, and is synthetic
    is_made: bool = False


TASKS: Registry[TaskEntry, AnyTask] = Registry("task", TaskEntry)
"""What can be read by name, besides ``files:PATH``."""


def _define(about: Definition, read: Callable[[], AnyTask], **more: Any) -> None:
    known = {name: getattr(about, name) for name in ("title", "kind", "labels", "is_pair", "metrics", "licence")}
    TASKS.declare(about.name, read, label=about.label or about.name, **known, **more)


def _declare_all() -> None:
    folders: Mapping[str, tuple[Callable[[Path], Task], Layout]] = {
        "cola": (files.read_cola, layouts.COLA),
        "sst2": (files.read_sst2, layouts.SST2),
        "stsb": (files.read_stsb, layouts.STSB),
        "mnli": (files.read_mnli, layouts.MNLI),
    }
    for name, table in hub.GLUE.items():
        about, (from_folder, layout) = table.definition, folders.get(name, (None, None))
        source = f"nyu-mll/glue {name}"
        _define(about, partial(hub.hub_glue, name), source=source, from_folder=from_folder, layout=layout)
    _define(glue.SICK, hub.hub_sick, source="RobZamp/sick", from_folder=files.read_sick, layout=layouts.SICK_NLI)
    not_on_the_hub = (
        (files.AMAZON, files.AMAZON_SOURCE, files.read_amazon, layouts.AMAZON),
        (files.RELATEDNESS, files.RELATEDNESS_SOURCE, files.read_relatedness, layouts.RELATEDNESS),
    )
    for about, source, from_folder, layout in not_on_the_hub:
        _define(about, files.not_on_the_hub, source=source, from_folder=from_folder, layout=layout)
    for language in xnli.LANGUAGES:
        _define(
            xnli.definition(language),
            partial(xnli.hub_xnli, language),
            source=f"facebook/xnli {language}",
            from_folder=partial(xnli.read_xnli, language=language),
            layout=layouts.XNLI,
        )
    for name, size in (("wikitext-2", 2), ("wikitext-103", 103)):
        TASKS.declare(
            name,
            partial(language_modeling.hub_wikitext, name),
            label=name,
            title=f"Predict the next token of {size} million words of encyclopedia articles.",
            kind="language",
            metrics=(perplexity,),
            source=f"Salesforce/wikitext {name}-raw-v1",
            licence="CC BY-SA",
            from_folder=partial(language_modeling.read_wikitext, name=name),
            layout=layouts.wikitext(language_modeling.WIKITEXTS[name]),
        )
    TASKS.declare(
        "corpus",
        language_modeling.hub_corpus,
        label="corpus",
        title="Predict the next token of a small mix of articles and stories.",
        kind="language",
        metrics=(perplexity,),
        source="Salesforce/wikitext wikitext-2-raw-v1 and roneneldan/TinyStories",
        licence="CC BY-SA; CDLA-Sharing 1.0; the Brown corpus of a data folder is for non-commercial use",
        from_folder=language_modeling.read_corpus,
        layout=layouts.CORPUS,
    )
    _define(made.REVIEWS, made.made_reviews, source=made.SOURCE, is_made=True)


_declare_all()


def read_task(name: str, data: Path | None = None, *, offline: bool = False, skip_bad_rows: bool = False) -> AnyTask:
    """Read a task by its name.

    A name may also be ``files:PATH``, or ``files:PATH?text=COLUMN&label=COLUMN`` with these or others of `read_table`'s
    arguments: pair, kind, labels, seed and encoding, for local files; columns are "text" and "label" by default. Column
    names are spelled as in a URL, and a path with a question mark in it needs `read_table` itself.

    After any name, ``?labels=A,B,C`` gives the names of class 0, 1, ..., and so of outputs 0, 1, ... of a head that
    names none.

    Args:
        name: One of `TASKS`, or of local files.
        data: Data folder of the entry's layout; the Hub if None. A task that is made here needs neither.
        offline: Refuse to ask the Hub. To read what its cache holds, set HF_HUB_OFFLINE=1 in the environment instead.
        skip_bad_rows: Leave out rows of local files that cannot be used, instead of refusing the file.

    Returns:
        A `Task`, or a `LanguageTask` for "wikitext-2", "wikitext-103" and "corpus".

    Raises:
        TaskError: If the name is unknown, the task is refused, or the data folder does not hold it.
        FileNotFoundError: If local files are absent.
        OfflineError: If the Hub is needed and out of reach, or `offline`.

    Example:
        >>> task = read_task("reviews")
        >>> task.labels, {name: len(rows) for name, rows in task.splits.items()}
        (('negative', 'positive'), {'train': 4000, 'dev': 500, 'test': 1000, 'new forms': 500})
    """
    path, options = options_of(name)
    if name.startswith(FILES):
        return _read_files(path, options, skip_bad_rows=skip_bad_rows)
    task = _read_named(entry_of(name), data, offline=offline)
    if "labels" not in options:
        return task
    if not isinstance(task, Task):
        raise TaskError(f"{task.name} has no classes. Leave out labels=.")
    return task.with_order(options["labels"])


def options_of(name: str) -> tuple[str, dict[str, Any]]:
    """A task's name or the path of its files, and the options after it; TaskError if one is wrong."""
    path, _, query = name.removeprefix(FILES).partition("?")
    classes = next((each.removeprefix(_LABELS) for each in query.split("&") if each.startswith(_LABELS)), "")
    known = _OPTIONS if name.startswith(FILES) else ("labels",)
    try:
        options: dict[str, Any] = dict(parse_qsl(query, strict_parsing=True)) if query else {}
        if unknown := sorted(set(options) - set(known)):
            raise ValueError(f"unknown: {', '.join(unknown)}; there are: {', '.join(known)}")
        if "seed" in options:
            options["seed"] = int(options["seed"])
    except ValueError as error:
        raise TaskError(f"{query!r} is not of the form {known[0]}=...&{known[-1]}=... ({error}).") from error
    if "labels" in options:
        options["labels"] = tuple(unquote_plus(part).strip() for part in classes.split(","))
    return path, options


def with_labels(name: str, labels: Sequence[str]) -> str:
    """A task's name with the names of class 0, 1, ... appended, in place of those that are there."""
    base, _, query = name.partition("?")
    others = [each for each in query.split("&") if each and not each.startswith(_LABELS)]
    return f"{base}?{'&'.join([*others, f'{_LABELS}{spelled(labels)}'])}"


def _read_named(entry: TaskEntry, data: Path | None, *, offline: bool) -> AnyTask:
    name = entry.name
    if entry.is_made:
        return TASKS.make(name)
    if data is not None:
        return _of_folder(entry, data.expanduser())
    if offline:
        raise OfflineError(
            f"{name} comes from the Hub ({entry.source}), which may not be used offline. {_instead(entry)} To read "
            "what the Hub's cache holds, set HF_HUB_OFFLINE=1."
        )
    try:
        return TASKS.make(name)
    except OfflineError as error:
        raise OfflineError(f"{error} {_instead(entry)}") from error


def _of_folder(entry: TaskEntry, data: Path) -> AnyTask:
    try:
        return check_folder(entry, data)(data)
    except OSError as error:
        raise TaskError(f"{entry.name} cannot be read from {data}: {error}. {entry.layout or ''}") from error


def _instead(entry: TaskEntry) -> str:
    if entry.from_folder is None:
        return "It is not read from a data folder: choose a task that is, or one of your own files."
    return f"Or pass a data folder. {entry.layout or ''}"


def check_folder(entry: TaskEntry, data: Path) -> Callable[[Path], AnyTask]:
    """Make sure that a data folder holds what a task needs, without reading it; returns what reads it.

    Raises:
        TaskError: If it does not, with what it must hold, or the task is not read from a folder.
    """
    if entry.from_folder is None:
        readable = ", ".join(other.name for other in TASKS.values() if other.from_folder is not None)
        raise TaskError(f"{entry.name} is not read from a data folder, only {readable}. Leave out the folder.")
    if entry.layout is not None:
        entry.layout.require(data.expanduser(), entry.name)
    return entry.from_folder


def entry_of(name: str) -> TaskEntry:
    """What is known of a task; TaskError if it is unknown, with the names there are, or refused, with the reason."""
    name = name.partition("?")[0]
    if name in _REFUSED:
        raise TaskError(f"{name} is refused: {_REFUSED[name]}")
    if name not in TASKS:
        meant = did_you_mean(name, TASKS)
        raise TaskError(f"no task is called {name[:200]!r}.{meant} There are: {', '.join(TASKS)}, and {FILES}PATH.")
    return TASKS[name]


def _read_files(path: str, options: Mapping[str, Any], *, skip_bad_rows: bool) -> Task:
    whole = Path(path).expanduser()
    return read_table(whole, **{"text": "text", "label": "label", **options}, skip_bad_rows=skip_bad_rows)

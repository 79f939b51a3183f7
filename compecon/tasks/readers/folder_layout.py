"""What a data folder must hold for a task: said before anything is read, and by whatever finds it incomplete."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

from compecon.errors import TaskError


@final
@dataclass(frozen=True)
class Layout:
    """Where a task's files are below a data folder."""

    files: tuple[str, ...]  # their paths, "*" standing for any characters
    rows: str  # what a line of them holds, for people
    needs_all: bool = True  # whether each of them is needed; else one is enough

    def __str__(self) -> str:
        return f"A data folder holds {'' if self.needs_all else 'some of '}{', '.join(self.files)}: {self.rows}."

    def found(self, folder: Path) -> tuple[Path, ...]:
        """The files that are there, in the order of the patterns, then of their names."""
        return tuple(path for pattern in self.files for path in _matching(folder, pattern))

    def require(self, folder: Path, task: str) -> None:
        """Make sure by the names of its files that a folder is one of this layout; TaskError with what it must hold."""
        missing = [pattern for pattern in self.files if not _matching(folder, pattern)]
        if not missing or (not self.needs_all and len(missing) < len(self.files)):
            return
        raise TaskError(f"{task} cannot be read from {folder}: {self._why(folder, missing)} {self}")

    def _why(self, folder: Path, missing: list[str]) -> str:
        with suppress(OSError):  # a name that is too long
            if folder.is_file():
                return "it is a file, not a folder."
            if not folder.is_dir():
                return "there is no such folder."
        if any(_matching(folder.parent, pattern) for pattern in self.files):
            return f"give the folder above it, {folder.parent}."
        return f"it has {'no' if self.needs_all else 'none of'} {', '.join(missing)}."


def _matching(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(path for path in folder.glob(pattern) if path.is_file())
    except OSError:  # a folder that may not be looked into holds nothing for us
        return []


NLI = "a JSON object per line with premise, hypothesis and label (entailment, neutral or contradiction)"
SICK = "pair number, two sentences, relatedness and judgement, separated by tabs, with a header"

SST2 = Layout(("sst2/train.tsv", "sst2/dev.tsv", "sst2/test.tsv"), "a sentence, a tab, and 0 or 1 per line, no header")
STSB = Layout(
    ("stsb/sts-train.csv", "stsb/sts-dev.csv", "stsb/sts-test.csv"),
    "genre, file, year, id, score and two sentences, separated by tabs, no header",
)
COLA = Layout(
    ("cola/in_domain_train.tsv", "cola/in_domain_dev.tsv", "cola/out_of_domain_dev.tsv"),
    "source, 0 or 1, mark and sentence, separated by tabs, no header",
)
MNLI = Layout(("mnli/train*.jsonl", "mnli/dev*.jsonl"), NLI)
SICK_NLI = Layout(("sick/SICK_train.txt", "sick/SICK_trial.txt", "sick/SICK_test_annotated.txt"), SICK)
RELATEDNESS = Layout(("sick/SICK_trial.txt", "sick/SICK_test_annotated.txt"), SICK)
AMAZON = Layout(
    ("amazon_snippets/amazonReviewSnippets_GroundTruth.txt",),
    "id, mean rating from -4 to 4 and sentence, separated by tabs, no header",
)
XNLI = Layout(
    ("xnli/xnli.dev*.tsv", "xnli/xnli_dev*.tsv", "xnli/xnli.test*.tsv", "xnli/xnli_test*.tsv"),
    "columns language, gold_label, sentence1 and sentence2; to learn from also xnli/multinli.train.LANGUAGE.tsv with "
    "premise, hypo and label",
    needs_all=False,
)
CORPUS = Layout(
    ("wikitext2_raw/wiki.test.raw",),
    "WikiText-2's raw test articles; to learn from also brown/brown.zip, wikitext2/valid.txt or "
    "tinystories_sample/*.txt",
)


def wikitext(folder: str) -> Layout:
    """The layout of a WikiText in a folder of that name."""
    files = tuple(f"{folder}/wiki.{split}.raw" for split in ("train", "valid", "test"))
    return Layout(files, "articles below titles as ' = Title = '", needs_all=False)

"""Data that no bundled checkpoint learnt from or was chosen by: how far does what was learnt reach?

Neither comes from the Hub; what a data folder holds is said in `folder_layout`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from compecon.errors import OfflineError
from compecon.tasks.definition import Definition
from compecon.tasks.readers.data_folder import lines_of
from compecon.tasks.readers.glue import SENTIMENT_LABELS
from compecon.tasks.rows import Row, split
from compecon.tasks.task import Task
from compecon.tasks.task_metrics import accuracy, pearson, spearman

AMAZON_SOURCE = "cjhutto/vaderSentiment on GitHub: additional_resources/hutto_ICWSM_2014.tar.gz"
RELATEDNESS_SOURCE = "the SICK data set"
_CLEAR = 1.0  # of a mean rating: nearer to 0, the twenty people who rated a sentence found little opinion in it

AMAZON = Definition(
    "amazon-snippets",
    "Is a sentence of a product review negative or positive?",
    "classification",
    SENTIMENT_LABELS,
    (accuracy,),
    "MIT, of the ratings; sentences of Amazon's customers as collected by Hu and Liu (2004)",
)
RELATEDNESS = Definition(
    "sick-relatedness",
    "How related are two simple descriptions of scenes, from 1 to 5?",
    "regression",
    ("similarity",),
    (spearman, pearson),
    "CC BY-NC-SA 3.0",
)


def read_amazon(folder: Path) -> Task:
    """Sentences of product reviews with a mean rating of at least 1 or at most -1; "test" alone.

    Raises:
        FileNotFoundError: If the file is absent.
        ValueError: Naming file and line, if a row is not of the layout.
    """
    path = folder / "amazon_snippets" / "amazonReviewSnippets_GroundTruth.txt"
    rated = lines_of(path, _amazon_row)
    clear: Iterator[Row] = ((text, None, int(rating > 0)) for text, rating in rated if abs(rating) >= _CLEAR)
    return AMAZON.task({"test": split(clear, int)})


def read_relatedness(folder: Path) -> Task:
    """The relatedness of SICK's trial pairs, as "dev", and of its test pairs.

    Raises:
        FileNotFoundError: If the file is absent.
        ValueError: Naming file and line, if a row is not of the layout.
    """
    names = {"dev": "SICK_trial.txt", "test": "SICK_test_annotated.txt"}
    read = {name: lines_of(folder / "sick" / file, _related_row, header=True) for name, file in names.items()}
    return RELATEDNESS.task({name: split(rows, float) for name, rows in read.items()})


def not_on_the_hub() -> NoReturn:
    """Say where the data is.

    Raises:
        OfflineError: Always.
    """
    raise OfflineError(
        f"This is read from a data folder only. {AMAZON.name}: {AMAZON_SOURCE}; "
        f"{RELATEDNESS.name}: {RELATEDNESS_SOURCE}."
    )


def _amazon_row(line: str) -> tuple[str, float]:
    _, rating, text = line.split("\t")
    return text, float(rating)


def _related_row(line: str) -> Row:
    _, first, second, relatedness, _ = line.split("\t")
    return first, second, float(relatedness)

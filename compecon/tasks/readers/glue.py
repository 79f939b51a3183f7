"""What the tasks of GLUE, and SICK, are, wherever their rows come from (`data_folder`, `hub_tables`).

GLUE's own test labels are not public. Unless stated otherwise, "test" is therefore its validation split, which is never
used to choose, and "dev" is cut from train.
"""

from __future__ import annotations

from collections.abc import Iterable

from compecon.tasks.definition import Definition
from compecon.tasks.rows import Row, held_out, split
from compecon.tasks.task import Task
from compecon.tasks.task_metrics import accuracy, f1, matthews, pearson, spearman

SENTIMENT_LABELS = ("negative", "positive")
NLI_LABELS = ("entailment", "neutral", "contradiction")
_RTE_LABELS = ("entailment", "not_entailment")
_UNSTATED = "no licence stated; research use"

SST2 = Definition(
    "sst2",
    "Is a sentence of a film review negative or positive?",
    SENTIMENT_LABELS,
    (accuracy,),
    _UNSTATED,
    label="Sentiment (SST-2)",
)
STSB = Definition(
    "stsb",
    "How alike are two sentences in meaning, from 0 (unrelated) to 5 (the same)?",
    ("similarity",),
    (spearman, pearson),
    "scores CC BY-SA 4.0",
    label="Similarity (STS-B)",
    kind="regression",
    is_pair=True,
)
MNLI = Definition(
    "mnli",
    "Does the premise entail or contradict the hypothesis, in ten genres of English?",
    NLI_LABELS,
    (accuracy,),
    "mostly the terms of the Open American National Corpus: free use",
    label="Entailment (MNLI)",
    is_pair=True,
)
SICK = Definition(
    "sick",
    "Does the first sentence entail or contradict the second, in simple descriptions of scenes?",
    NLI_LABELS,
    (accuracy,),
    "CC BY-NC-SA 3.0",
    label="Entailment (SICK)",
    is_pair=True,
)
COLA = Definition(
    "cola",
    "Is a sentence acceptable English grammar?",
    ("unacceptable", "acceptable"),
    (matthews, accuracy),
    "no licence stated; examples from the linguistics literature, research use",
    label="Acceptability (CoLA)",
)
MRPC = Definition(
    "mrpc",
    "Do two sentences of the news say the same?",
    ("not_equivalent", "equivalent"),
    (f1, accuracy),
    "Microsoft Research Paraphrase Corpus: its own terms, research use",
    is_pair=True,
)
QQP = Definition(
    "qqp",
    "Do two questions ask the same?",
    ("not_duplicate", "duplicate"),
    (f1, accuracy),
    "Quora: non-commercial use",
    is_pair=True,
)
QNLI = Definition(
    "qnli",
    "Does a sentence of an encyclopedia answer the question?",
    _RTE_LABELS,
    (accuracy,),
    "SQuAD: CC BY-SA 4.0",
    is_pair=True,
)
RTE = Definition(
    "rte",
    "Does the second text follow from the first, in news and encyclopedias?",
    _RTE_LABELS,
    (accuracy,),
    _UNSTATED,
    is_pair=True,
)
WNLI = Definition(
    "wnli",
    "Does a sentence with a pronoun replaced follow from the sentence itself?",
    ("not_entailment", "entailment"),
    (accuracy,),
    "Winograd schemas: CC BY 4.0",
    is_pair=True,
)


def mnli(train: Iterable[Row], matched: Iterable[Row], mismatched: Iterable[Row] = ()) -> Task:
    """MNLI with "dev" cut from the end of train, dev-matched as "test", and dev-mismatched, if any, beside it."""
    splits = {**held_out(list(train), int), "test": split(matched, int)}
    if others := list(mismatched):
        splits["mismatched"] = split(others, int)
    return MNLI.task(splits)


def entailment(broad: Task, simple: Task) -> Task:
    """MNLI and SICK together: rehearse on all of MNLI, then learn SICK and as many rows of MNLI.

    MNLI alone is too broad for a few layers and a few thousand rows; SICK alone knows nothing but simple scenes. The
    test rows of MNLI are reported beside those of SICK, whose dev rows are what is chosen by.
    """
    learnt = simple.splits["train"]
    splits = {
        "rehearsal": broad.splits["train"],
        "train": learnt.joined(broad.splits["train"].head(len(learnt))),
        "dev": simple.splits["dev"],
        "test": simple.splits["test"],
        "MNLI dev-matched": broad.splits["test"],
    }
    return Task("entailment", "classification", NLI_LABELS, splits, (accuracy,))

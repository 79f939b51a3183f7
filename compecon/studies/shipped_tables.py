"""Tables of README.md and of the guide, made from the measurements, so that their numbers have no other source."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from compecon.allocation.streams.bundled_streams import PREDICTED
from compecon.checkpoints.bundle import read_manifest
from compecon.evaluation.evaluation_records import EVALUATIONS, EvaluationRecord
from compecon.evaluation.result_store import read_kept
from compecon.studies.family_members import ELASTIC, FAMILY
from compecon.studies.shipped import FEW_BUDGETS, SHEETS, Sheet, bundled_in, not_measured, parent_of, sized
from compecon.tasks.task_metrics import Estimate

_LEVELS = ((0, None), *((keys, keys) for keys in FEW_BUDGETS))
_HEADLINE = {"sentiment": "sst2", "similarity": "stsb"}  # the checkpoints and their experiments
_TASKS = {"sst2": "SST-2, accuracy", "stsb": "STS-B, Spearman"}
_MORE = {"sick": "SICK, accuracy"}  # of the elastic experiment alone
_HEADLINE_SIZES = (0.3, 0.1)
_TOGETHER = (0.45, 0.3, 0.2, 0.1)  # budgets of the elastic experiment that are judged together
_EQUAL = ("apart", "apart taylor", "sequential")  # rivals of the elastic training for as many training MACs
_GAINS = ("keys", 1, "2 keys per token"), ("sizes", 1, "the size of 10%")  # stream, place of the budget


def numbers_in(assets: Path) -> dict[str, list[str]]:
    """Rows of every measured table, by the table's name, from the measurements, streams and experiments in `assets`."""
    records = read_kept(assets / f"{EVALUATIONS}.jsonl", EvaluationRecord.read)
    found = {(one.checkpoint, one.key.task, one.key.split, one.key.keys): one for one in records}
    gains = json.loads((assets / "streams" / PREDICTED).read_text(encoding="utf-8"))
    return {
        "headline": _headline(assets, found, gains),
        "dense": _dense(found),
        "family": [line for name in FAMILY for line in _member(assets, name, found)],
        "budgets": _budgets(found),
        "beyond": _beyond(bundled_in(assets), found),
        "gains": _gains(gains),
        "frontier": [line for task in _TASKS for line in _frontier(assets, task)],
        "elastic": [line for task in (*_TASKS, *_MORE) for line in _elastic(assets, task)],
    }


def texts_with_numbers(assets: Path) -> list[Path]:
    """The texts that hold measured tables: README.md, where there is a checkout around the assets, and the guide."""
    readme = assets.parent / "README.md"
    return [*([readme] if readme.is_file() else []), *sorted((assets / "guide").glob("*.md"))]


def with_numbers(text: str, tables: Mapping[str, Sequence[str]]) -> str:
    """A text whose tables between `<!-- numbers: NAME -->` and `<!-- end -->` have these rows; heads stay.

    Raises:
        KeyError: If there are no such numbers.
    """

    def renewed(match: re.Match[str]) -> str:
        head = match["body"].split("\n")[:2]
        return f"<!-- numbers: {match['name']} -->\n" + "\n".join([*head, *tables[match["name"]]]) + "\n<!-- end -->"

    return re.sub(r"<!-- numbers: (?P<name>\w+) -->\n(?P<body>.*?)\n<!-- end -->", renewed, text, flags=re.DOTALL)


_Found = Mapping[tuple[str, str, str, int | None], EvaluationRecord]


def _score(found: _Found, name: str, sheet: Sheet, keys: int | None = None) -> Estimate | None:
    record = found.get((name, sheet.shown_task, sheet.split, keys))
    return None if record is None else record.score


def _headline(assets: Path, found: _Found, gains: Sequence[Mapping[str, Any]]) -> list[str]:
    """The main results, one claim per row: accuracy on SST-2 beside Spearman on STS-B."""
    columns = [_claims(assets, name, task, found, gains) for name, task in _HEADLINE.items()]
    return [f"| {claim} | {' | '.join(column[claim] for column in columns)} |" for claim in columns[0]]


def _claims(assets: Path, name: str, task: str, found: _Found, gains: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    sheet = SHEETS[name][0]
    elastic = f"{name}-{ELASTIC}"
    sizes = {one["budget"]: one for one in read_manifest(assets / "checkpoints" / elastic)["training"]["sizes"]}
    together = {
        each["rival"]: each["change"]
        for each in _report(assets / "experiments" / "elastic" / task)["differences"]
        if tuple(each["budgets"]) == _TOGETHER
    }
    stream, place, _ = _GAINS[0]
    shared = [row for row in gains if row["stream"] == f"{name}-{stream}"][place]
    return {
        "dense, all keys": _points(_known(found, name, sheet)),
        "2 keys per query": _plain(_score(found, name, sheet, 2)),
        "elastic, whole": _points(_known(found, elastic, sheet)),
        "elastic, 2 keys per query": _plain(_score(found, elastic, sheet, 2)),
        **{
            f"elastic at {100 * budget:.0f}% of the MACs": _points(_known(found, sized(elastic, budget), sheet))
            + f", in {sizes[budget]['latency']['ratio']:.2f} × the time"
            for budget in _HEADLINE_SIZES
        },
        "elastic − pruning each size apart, for as many training MACs, 45 to 10%": _change(together["apart"]),
        "elastic − pruning size after size, the same": _change(together["sequential"]),
        "2 keys per query shared at one price, outcomes known: correct answers": _difference(shared["hindsight"]),
        "the same, outcomes predicted": _difference(shared["chances"]),
    }


def _dense(found: _Found) -> list[str]:
    three, at = "3 layers × 12 heads", {name: sheets[0] for name, sheets in SHEETS.items()}
    sst2, stsb, sick = (_known(found, name, at[name]) for name in ("sentiment", "similarity", "entailment"))
    mnli = _known(found, "entailment", SHEETS["entailment"][1])
    token, word = found["causal", at["causal"].task, at["causal"].split, None].metrics.values()
    return [
        f"| `sentiment` | {three} | accuracy {_percent(sst2)} on SST-2's {sst2.n:,} test sentences |",
        f"| `similarity` | {three} | Spearman {_points(stsb)} on STS-B's {stsb.n:,} test pairs |",
        f"| `entailment` | {three} | accuracy {_percent(sick)} on SICK's {sick.n:,} test pairs; only "
        f"{100 * mnli.value:.1f}% on MultiNLI's varied English (chance is 33%) |",
        f"| `causal` | 4 layers × 5 heads | perplexity {token.value:,.0f} by token, {word.value:,.0f} by word on "
        "WikiText-2 test: it writes English-looking nonsense, and its attention is worth watching |",
    ]


def _known(found: _Found, name: str, sheet: Sheet) -> Estimate:
    record = found.get((name, sheet.shown_task, sheet.split, None))
    if record is None:
        raise not_measured(name, f"on {sheet.description}")
    return record.score


def _member(assets: Path, name: str, found: _Found) -> Iterator[str]:
    training = read_manifest(assets / "checkpoints" / name)["training"]
    for size in training.get("sizes", (training,)):
        at, time = size.get("budget", 1.0), size["latency"]
        measured, sheet = sized(name, at), SHEETS[parent_of(name)][0]
        share = f"{size['macs'] / training['dense_macs']:.2f}"
        ratio = f"{time['ratio']:.2f} [{time['low']:.2f}, {time['high']:.2f}]"
        scarce = _plain(_score(found, measured, sheet, 2))
        yield f"| `{measured}` | {share} | {ratio} | {_points(_known(found, measured, sheet))} | {scarce} |"


def _budgets(found: _Found) -> list[str]:
    rows = []
    for parent in ("sentiment", "similarity"):
        for name in (parent, f"{parent}-{ELASTIC}"):
            scores = [_score(found, name, SHEETS[parent][0], keys) for _, keys in _LEVELS]
            rows.append(f"| `{name}` | {' | '.join(map(_plain, scores))} |")
    return rows


def _beyond(names: Iterable[str], found: _Found) -> list[str]:
    rows = []
    for name in names:
        for sheet in SHEETS[parent_of(name)]:
            first = _score(found, name, sheet)
            if sheet.known or first is None or not sheet.budgets_of(name):
                continue  # the cards report those at all keys only
            few = [_plain(_score(found, name, sheet, keys)) for keys in FEW_BUDGETS]
            rows.append(f"| `{name}` | {sheet.description} | {_points(first)} | {' | '.join(few)} |")
    return rows


def _gains(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for name in ("sentiment", "similarity"):
        for kind, place, told in _GAINS:
            one = [row for row in rows if row["stream"] == f"{name}-{kind}"][place]
            first, *rest = (_difference(one[what]) for what in ("hindsight", "chances", "thresholds"))
            lines.append(f"| {name}, {told} | {100 * one['same']:.1f}% | {first} | {' | '.join(rest)} |")
    return lines


def _frontier(assets: Path, task: str) -> list[str]:
    report, named = _report(assets / "experiments" / task), _TASKS[task]
    arms = {(arm["arm"], arm["recovered"], arm["target"]): arm for arm in report["arms"]}
    lines = []
    for duel in report["duels"]:
        target, rival = duel["target"], duel["rival"]
        ours, theirs, bare = (
            arms[key]["change"] for key in (("incentive", True, target), (rival, True, target), (rival, False, target))
        )
        lines.append(
            f"| {named} | {100 * target:.0f}% | {_change(ours)} | {rival} {_change(theirs)} | "
            f"{_signed(bare['value'])} | {_change(duel['difference'])} | {duel['seeds']} |"
        )
    return lines


def _elastic(assets: Path, task: str) -> list[str]:
    """Of each budget, and of several together: the mean score, and what it is better by than each rival."""
    report = _report(assets / "experiments" / "elastic" / task)
    better: dict[tuple[float, ...], dict[str, Any]] = {}
    for each in report["differences"]:
        better.setdefault(tuple(each["budgets"]), {})[each["rival"]] = each
    lines = []
    for budgets, rivals in better.items():
        scores = [
            run["test"]["value"] for run in report["runs"] if run["arm"] == "elastic" and run["target"] in budgets
        ]
        left = (
            f"{100 * budgets[0]:.0f}%" if len(budgets) == 1 else f"{100 * budgets[0]:.0f} to {100 * budgets[-1]:.0f}%"
        )
        changes = " | ".join(_change(rivals[rival]["change"]) for rival in _EQUAL)
        n_seeds = rivals[_EQUAL[0]]["seeds"]
        lines.append(
            f"| {(_TASKS | _MORE)[task]} | {left} | {100 * statistics.fmean(scores):.1f} | {changes} | {n_seeds} |"
        )
    return lines


def _report(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return read


def _change(value: Mapping[str, float]) -> str:
    return f"{_signed(value['value'])} [{_signed(value['low'])}, {_signed(value['high'])}]"


def _difference(numbers: Sequence[float]) -> str:
    value, low, high = map(_signed, numbers)
    return f"{value} ({low} to {high})"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def _points(score: Estimate) -> str:
    return f"{100 * score.value:.1f} [{100 * score.low:.1f}, {100 * score.high:.1f}]"


def _percent(score: Estimate) -> str:
    return f"{100 * score.value:.1f}% [{100 * score.low:.1f}, {100 * score.high:.1f}]"


def _plain(score: Estimate | None) -> str:
    return "" if score is None else f"{100 * score.value:.1f}"

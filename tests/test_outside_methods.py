"""Methods of other packages, a file each: in every menu and on the command line; a broken one is a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.outside import FILES, LABELS, NAMES, install

ROOT = Path(__file__).resolve().parents[1]
MENUS = """
import json, sys
from typer.testing import CliRunner
from compecon.allocation.rules import RULES
from compecon.attention.policies import POLICIES
from compecon.cli import app
from compecon.compression.importance import IMPORTANCES
from compecon.incentives.costs import COSTS
from compecon.registry import read_installed
from compecon.runs.jobs.job_registry import RECIPES
from compecon.tasks.task_registry import TASKS

registries = {"policy": POLICIES, "rule": RULES, "cost": COSTS, "importance": IMPORTANCES, "task": TASKS}
settings = {f"{name} {each.name}": list(each.choices) for name, job in RECIPES.items() for each in job.settings}
labels = {kind: {name: method.label for name, method in found.items()} for kind, found in registries.items()}
helps = {name: CliRunner().invoke(app, [name, "--help"]).stdout for name in ("evaluate", "allocate", "train", "prune")}
found = {"helps": helps, "labels": labels, "settings": settings, "problems": read_installed()}
print(json.dumps({**found, "torch": "torch" in sys.modules}))
"""


def python(site: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    home = {"COMPECON_HOME": str(site / "home"), "COMPECON_CHECKPOINTS": ""}
    environment = {**os.environ, **home, "PYTHONPATH": os.pathsep.join((str(site), str(ROOT)))}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=site, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def menus(site: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(python(site, "-c", MENUS).stdout)
    return found


def compecon(site: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    return python(site, "-c", "from compecon.cli import main; main()", *arguments, code=code)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    install(tmp_path, FILES)
    return tmp_path


def test_a_file_is_all_that_a_method_needs_to_be_in_the_menus(site: Path) -> None:
    found = menus(site)
    assert {kind: found["labels"][kind][name] for kind, name in NAMES.items()} == LABELS
    assert found["problems"] == []
    assert NAMES["policy"] in found["settings"]["evaluate policy"]
    assert NAMES["cost"] in found["settings"]["train cost"]
    assert {NAMES["importance"], "open"} <= set(found["settings"]["train start"])
    assert NAMES["importance"] in found["settings"]["prune method"]
    shown = {"evaluate": ["policy"], "allocate": ["rule"], "train": ["cost", "importance"], "prune": ["importance"]}
    for command, kinds in shown.items():
        assert all(NAMES[kind] in "".join(found["helps"][command].split()) for kind in kinds), command


def test_menus_open_without_torch_if_the_methods_need_none(tmp_path: Path) -> None:
    lazy = (
        'from compecon.attention.policies import POLICIES\nPOLICIES.declare("far", "far_away:Far", label="Far keys")\n'
    )
    install(tmp_path, {"policy": lazy, "rule": FILES["rule"]})
    found = menus(tmp_path)
    assert (found["torch"], found["problems"]) == (False, [])
    assert found["labels"]["policy"]["far"] == "Far keys"


BROKEN = {
    "no import": ("import no_such_library\n", "no_such_library"),
    "raises": ("raise RuntimeError('bad\\nday')\n", "bad day"),
    "leaves": ("raise SystemExit(3)\n", "SystemExit"),
    "no python": ("def\n", "SyntaxError"),
    "taken": (FILES["policy"].replace('"weakest", label', '"top-k", label'), "top-k"),
    "no policy": ('from compecon.attention import POLICIES\nPOLICIES.register("x", label="X")(int)\n', "int"),
    "no such attribute": ('from compecon.attention import POLICIES\nPOLICIES.declare("x", "a:B", name2=1)\n', "name2"),
    "a name for no address": (FILES["policy"].replace('"weakest", label', '"Weak est?", label'), "Weak est?"),
}


def test_each_broken_one_is_a_sentence_and_the_others_are_there(site: Path) -> None:
    for number, (text, _) in enumerate(BROKEN.values()):
        install(site, {"policy": text}, f"broken-{number}")
    found = menus(site)
    assert len(found["problems"]) == len(BROKEN)
    for number, (case, (_, names)) in enumerate(BROKEN.items()):
        [sentence] = [each for each in found["problems"] if f"broken-{number}" in each]
        assert names in sentence, case
        assert sentence.isprintable()
        assert sentence.endswith(".")
    assert {kind: found["labels"][kind][name] for kind, name in NAMES.items()} == LABELS
    assert found["labels"]["policy"]["top-k"] != LABELS["policy"]
    told = compecon(site, "--help")
    assert [line.removeprefix("compecon: ") for line in told.stderr.splitlines()] == found["problems"]


def test_the_doctor_finds_what_is_left_out_and_what_leads_nowhere(tmp_path: Path) -> None:
    lazy = (
        'from compecon.attention.policies import POLICIES\nPOLICIES.declare("far", "far_away:Far", label="Far keys")\n'
    )
    install(tmp_path, {"policy": lazy, "rule": "raise RuntimeError('bad day')\n"})
    found = json.loads(compecon(tmp_path, "doctor", "--json", code=1).stdout)
    problems = [finding["sentence"] for finding in found if finding["level"] == "problem"]
    assert sorted("far_away" in sentence for sentence in problems) == [False, True]
    assert sorted("bad day" in sentence for sentence in problems) == [False, True]


def test_a_rule_of_another_package_shares_a_budget(site: Path) -> None:
    (site / "curves.csv").write_text("query,budget,correct\n" + "".join(f"q{i},10,1\n" for i in range(3)))
    asked = ("curves.csv", "--budget", "20", "--rule", NAMES["rule"], "--json")
    found = json.loads(compecon(site, "allocate", *asked).stdout)
    assert [query["spend"] for query in found["queries"]] == [10, 10, 0]


@pytest.mark.slow
def test_a_policy_and_a_task_of_another_package_are_evaluated(site: Path) -> None:
    asked = ("sentiment", "--task", NAMES["task"], "--keys", "2", "--json", "--policy")
    found = [json.loads(compecon(site, "evaluate", *asked, policy).stdout) for policy in (NAMES["policy"], "top-k")]
    assert [each["policy"] for each in found] == [NAMES["policy"], "top-k"]
    assert found[0]["metrics"]["accuracy"]["value"] <= found[1]["metrics"]["accuracy"]["value"] == 1.0


@pytest.mark.slow
def test_an_importance_of_another_package_prunes_by_its_values(site: Path) -> None:
    asked = ("--task", NAMES["task"], "--target", "0.5", "--method", NAMES["importance"], "--out", "small", "--json")
    found = json.loads(compecon(site, "prune", "sentiment", *asked).stdout)
    assert found["macs"] < found["dense_macs"]
    first = json.loads((site / "small" / "config.json").read_text())
    assert first["model_type"].startswith("compact")


@pytest.mark.slow
def test_a_cost_and_an_importance_of_another_package_train(site: Path) -> None:
    training = ("--steps", "4", "--target", "0.5", "--cost", NAMES["cost"], "--start", NAMES["importance"])
    asked = ("--task", NAMES["task"], "--base", "sentiment", *training, "--device", "cpu", "--out", "small", "--json")
    found = json.loads(compecon(site, "train", *asked).stdout)
    assert found["macs"] <= found["dense_macs"]

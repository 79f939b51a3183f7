"""What the README promises: its examples run and print what it says, its commands and links lead somewhere."""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import torch
import typer

from compecon.attention.policy import KeyBudget
from compecon.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOTES = [ROOT / "README.md", ROOT / "compecon" / "README.md", ROOT / "assets" / "NOTICE.md"]
NUMBER = re.compile(r"\d+\.\d+")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def anchor(heading: str) -> str:
    """Where GitHub puts a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def links(note: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", note.read_text(encoding="utf-8"))


def run(source: str) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "readme"}
    exec(compile(source, "README.md", "exec"), names)  # noqa: S102 - our own README
    return names


# ---- examples


def test_the_library_example_prints_what_the_readme_shows(capsys):
    example, shown = blocks("python")[0], blocks("text")[0]
    run(example)
    printed = capsys.readouterr().out
    assert NUMBER.sub("_", printed) == NUMBER.sub("_", shown)
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (printed, shown)]
    assert numbers[0] == pytest.approx(numbers[1], abs=0.02)  # processors round differently


def test_the_library_example_is_twelve_lines():
    assert len(blocks("python")[0].splitlines()) == 12


def test_the_example_of_a_policy_is_a_policy():
    policy = run(blocks("python")[1])["WeakestK"]()
    scores, visible = torch.tensor([[[[3.0, 1.0, 2.0]]]]), torch.tensor([[[[True, True, False]]]])
    assert policy.keep(scores, visible, KeyBudget(keys=1), 0).tolist() == [[[[False, True, False]]]]


# ---- commands


def test_there_is_one_line_to_start_and_one_to_test():
    start, test = (block.strip() for block in blocks("")[:2])
    assert start.endswith("&& compecon")
    assert test.endswith("&& python -m pytest")
    assert all("-c constraints.txt" in line and "\n" not in line for line in (start, test))


def test_the_checks_run_the_line_that_the_readme_gives():
    line = blocks("")[1].strip()
    assert f"bash -c {shlex.quote(line)}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_lines_name_extras_that_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {name for names in re.findall(r"\.\[([a-z,]+)\]", README) for name in names.split(",")}
    assert named
    assert named <= project["optional-dependencies"].keys()


def test_every_command_has_a_line():
    described = set(re.findall(r"`compecon (\w+)`", README.split("## Commands")[1].split("\n## ")[0]))
    assert described == set(typer.main.get_group(app).commands)


# ---- links


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.relative_to(ROOT).as_posix())
def test_every_link_within_the_repository_leads_somewhere(note):
    headings = {
        anchor(line.lstrip("# ")) for line in note.read_text(encoding="utf-8").splitlines() if line.startswith("#")
    }
    for link in links(note):
        if "://" in link:
            continue
        path, _, fragment = link.partition("#")
        assert (note.parent / path).exists(), link
        assert path or fragment in headings, link


# ---- layers


def layers_of_the_tests() -> list[set[str]]:
    tree = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    [value] = [n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "LAYERS"]
    return ast.literal_eval(value)


def test_the_layers_are_drawn_as_the_tests_hold_them():
    rank = {unit: rank for rank, layer in enumerate(layers_of_the_tests()) for unit in layer}
    diagram = README.split("## How it is built")[1].split("```")[1].strip().splitlines()
    drawn = [line.split("  ")[0].split(", ") for line in diagram]
    ranks = [{rank[unit] for unit in layer} for layer in drawn]
    assert all(len(of_line) == 1 for of_line in ranks)
    assert ranks == sorted(ranks, key=min, reverse=True)
    there = {path.stem for path in [*(ROOT / "compecon").iterdir(), ROOT / "app", ROOT / "pages"]}
    assert {unit for layer in drawn for unit in layer} == there & rank.keys()

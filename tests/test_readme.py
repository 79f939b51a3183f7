"""What README.md and the guide promise: examples run and print what they say, commands and links lead somewhere."""

import ast
import importlib.util
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import torch
import typer
import typer.core

from compecon.attention.budget import KeyBudget
from compecon.attention.policies import POLICIES
from compecon.cli import app
from tests.support.outside import registered

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "assets" / "guide"
TEXTS = [
    ROOT / "README.md",
    ROOT / ".github" / "CONTRIBUTING.md",
    ROOT / "compecon" / "README.md",
    ROOT / "assets" / "NOTICE.md",
    ROOT / "assets" / "experiments" / "README.md",
    *sorted(GUIDE.glob("*.md")),
]
NUMBER = re.compile(r"\d+\.\d+")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


README = read(ROOT / "README.md")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """Where GitHub puts the headings of a text."""
    headings = re.findall(r"^#+ (.*)$", without_code(read(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", without_code(read(path))))


def run(source: str, path: Path) -> dict[str, object]:
    names: dict[str, object] = {"__name__": path.stem}
    exec(compile(source, path, "exec"), names)  # noqa: S102 - our own text
    return names


# ---- examples


def test_the_library_example_prints_what_the_readme_shows(capsys):
    example, shown = blocks("python")[0], blocks("text")[0]
    run(example, ROOT / "README.md")
    printed = capsys.readouterr().out
    assert NUMBER.sub("_", printed) == NUMBER.sub("_", shown)
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (printed, shown)]
    assert numbers[0] == pytest.approx(numbers[1], abs=0.02)  # processors round differently


def test_the_library_example_has_as_many_lines_as_its_heading_says():
    [number] = re.findall(r"^## The library in (\d+) lines$", README, re.MULTILINE)
    assert len(blocks("python")[0].splitlines()) == int(number)


def test_the_example_of_a_policy_is_a_policy():
    path = GUIDE / "adding_a_method.md"
    with registered():
        policy = run(blocks("python", read(path))[0], path)["WeakestK"]()
        assert type(POLICIES.make("weakest")) is type(policy)
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


def test_the_texts_name_extras_that_exist():
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    named = {
        name for path in TEXTS for names in re.findall(r"\.\[([a-z,]+)\]", read(path)) for name in names.split(",")
    }
    assert named
    assert named <= project["optional-dependencies"].keys()


def test_every_command_has_a_line():
    described = set(re.findall(r"`compecon (\w+)`", read(GUIDE / "commands.md").split("|---|")[1]))
    assert described == set(typer.main.get_group(app).commands)


def command_lines(text: str) -> list[list[str]]:
    """Every `compecon ...` of the blocks without a language and of the code within sentences."""
    lines = [line for block in blocks("", text) for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", without_code(text))
    found = [re.split(r"&&|;", line.strip())[-1].split() for line in lines]
    return [words[words.index("compecon") + 1 :] for words in found if "compecon" in words]


def itself(command: typer.core.TyperCommand) -> typer.core.TyperCommand:
    """A command as it is when it is called: until then, it may not have been loaded."""
    with command.make_context("compecon", [], resilient_parsing=True) as context:
        return context.command


def unknown_in(words: list[str]) -> list[str]:
    """What the command line would not know of a command: its name, the names below it, its options."""
    command, rest = typer.main.get_command(app), words
    if not rest or rest[0].startswith("-"):  # without a name, it serves
        rest = ["serve", *rest]
    while (below := getattr(command, "commands", {})) and rest and rest[0].islower() and not rest[0].startswith("-"):
        if rest[0] not in below:
            return rest[:1]
        command, rest = itself(below[rest[0]]), rest[1:]
    options = [option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)]
    return [word for word in rest if word.startswith("--") and word not in {"--help", *options}]


def test_every_command_that_is_shown_is_known():
    shown = {path.name: command_lines(read(path)) for path in TEXTS}
    assert sum(map(len, shown.values())) > 30
    assert {
        f"{name}: {' '.join(words)}": unknown
        for name, lines in shown.items()
        for words in lines
        if (unknown := unknown_in(words))
    } == {}


def is_there(name: str) -> bool:
    """Whether `compecon.a.b` is a module, or a name in one."""
    module, _, attribute = name.rpartition(".")
    try:
        found = importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what should hold it is no package
        found = False
    return found or hasattr(importlib.import_module(module), attribute)


def test_every_module_and_function_that_is_named_is_there():
    named = {(path.name, name) for path in TEXTS for name in re.findall(r"`(compecon(?:\.\w+)+)", read(path))}
    named = {(text, name) for text, name in named if name != "compecon.methods"}  # a group of entry points
    assert len(named) > 4
    assert sorted((text, name) for text, name in named if not is_there(name)) == []


# ---- links


def problem_with(link: str, path: Path) -> str:
    """Why a link leads nowhere, or "" if it leads somewhere."""
    if "://" in link:
        return ""
    name, _, fragment = link.partition("#")
    target = path.parent / name if name else path
    if not target.exists():
        return "no such file"
    return f"no heading {fragment}" if fragment and fragment not in anchors(target) else ""


def test_every_link_within_the_repository_leads_somewhere():
    bad = {(path.name, link): found for path in TEXTS for link in links(path) if (found := problem_with(link, path))}
    assert bad == {}


def test_every_page_of_the_guide_is_listed_once():
    listed = [link for link in links(GUIDE / "README.md") if "/" not in link]
    assert sorted(listed) == sorted(path.name for path in GUIDE.glob("*.md") if path.name != "README.md")


def test_the_readme_is_short():
    assert len(README.encode()) <= 10_000


# ---- layers


def layers_of_the_tests() -> list[set[str]]:
    tree = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    [value] = [n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "LAYERS"]
    return ast.literal_eval(value)


def test_the_layers_are_drawn_as_the_tests_hold_them():
    rank = {unit: rank for rank, layer in enumerate(layers_of_the_tests()) for unit in layer}
    diagram = read(ROOT / "compecon" / "README.md").split("## Layers")[1].split("```")[1].strip().splitlines()
    drawn = [line.split("  ")[0].split(", ") for line in diagram]
    ranks = [{rank[unit] for unit in layer} for layer in drawn]
    assert all(len(of_line) == 1 for of_line in ranks)
    assert ranks == sorted(ranks, key=min, reverse=True)
    there = {path.stem for path in [*(ROOT / "compecon").iterdir(), ROOT / "app", ROOT / "pages"]}
    assert {unit for layer in drawn for unit in layer} == there & rank.keys()

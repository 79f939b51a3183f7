"""Programs are started as lists of arguments, never through a shell, and only our own: read off the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELLS = {
    "os.system", "os.popen", "pty.spawn", "subprocess.getoutput", "subprocess.getstatusoutput",
    "asyncio.create_subprocess_shell", "commands.getoutput",
}  # fmt: skip
REPLACING = ("os.exec", "os.spawn", "os.posix_spawn", "os.startfile")
STARTERS = {
    "subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
    "asyncio.create_subprocess_exec", "os.fork", "os.forkpty", "concurrent.futures.ProcessPoolExecutor",
}  # fmt: skip
FORKING = ("multiprocessing.", "torch.multiprocessing.", "joblib.", "loky.")
OURS = {"compecon.children.start", "compecon.children.output", "compecon.children.command"}
EVALUATING = {"eval", "exec", "compile", "__import__", "pickle.load", "pickle.loads", "marshal.loads", "yaml.load"}
ALLOWED = {
    "compecon/children/__init__.py": "the one place that starts anything",
    "compecon/benchmarks/server.py": "the program that a benchmark names, which is one of ours",
    "compecon/benchmarks/bertviz_kit.py": "a rival: its environment's interpreter, and npm for its scripts",
}
OWN_SCRIPTS = {"waiter.__file__"}  # run by their file, in an interpreter that looks for no package
BECOMES = "compecon/runs/waiter.py"  # replaces itself by the command line that who started it made with the helper


def files() -> list[Path]:
    return sorted(path for folder in ("compecon", "app", "pages") for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def real_names(tree: ast.AST) -> dict[str, str]:
    """What a name of the file stands for: ``from subprocess import run as go`` makes ``go`` subprocess.run."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the full name of what is called."""
    names = real_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, _, rest = ast.unparse(node.func).partition(".")
            yield ".".join(filter(None, [names.get(first, first), rest])), node


def lists_of(tree: ast.AST) -> dict[str, list[ast.expr]]:
    """Lists that a name is given in the file, once: ``command = [sys.executable, ...]``."""
    given: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            given.setdefault(node.targets[0].id, []).append(node.value)
    return given


def starts_our_own(arguments: list[ast.expr], given: dict[str, list[ast.expr]]) -> bool:
    """Whether arguments name one of our modules, or a program that is written in the file."""
    words = [ast.unparse(_written_out(word, given)) for word in _spread(arguments, given)]
    while words and words[0] in ("'-I'", "'-S'"):
        del words[0]
    if words and words[0] in OWN_SCRIPTS:
        return True
    kind, program = [*words, "", ""][:2]
    if kind == "'-m'":
        return program.strip("'").split(".")[0] in ("compecon", "pip")
    return kind == "'-c'" and program[:1] in ("'", '"')


def _spread(arguments: list[ast.expr], given: dict[str, list[ast.expr]]) -> list[ast.expr]:
    """Arguments with those written out that stand in a tuple or list: ``*("-m", "compecon.a")``."""
    first = arguments[0].value if arguments and isinstance(arguments[0], ast.Starred) else None
    values = given.get(first.id, []) if isinstance(first, ast.Name) else [first]
    if len(values) != 1 or not isinstance(values[0], ast.Tuple | ast.List):
        return arguments if first is None else []
    return values[0].elts


def _written_out(word: ast.expr, given: dict[str, list[ast.expr]]) -> ast.expr:
    """A text that stands in the file once, in place of its name."""
    values = given.get(word.id, []) if isinstance(word, ast.Name) else []
    return values[0] if len(values) == 1 and isinstance(values[0], ast.Constant) else word


def offences(source: str) -> list[tuple[int, str]]:
    tree = ast.parse(source)
    given, found = lists_of(tree), []
    for name, call in calls(tree):
        shell = [k.value for k in call.keywords if k.arg == "shell"]
        if name in SHELLS | EVALUATING or name.startswith(REPLACING):
            found.append((call.lineno, name))
        elif any(not (isinstance(value, ast.Constant) and value.value is False) for value in shell):
            found.append((call.lineno, f"{name} through a shell"))
        elif name in STARTERS or name.startswith(FORKING):
            found.append((call.lineno, f"{name} itself"))
        elif name in OURS and not starts_our_own(call.args, given):
            found.append((call.lineno, f"{name} of something that is not ours"))
    interpreters = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr == "executable"]
    return found + [(each.lineno, "sys.executable itself") for each in interpreters]


def test_only_our_own_modules_are_started_by_the_one_helper_and_never_through_a_shell() -> None:
    found = {name_of(path): offences(path.read_text(encoding="utf-8")) for path in files()}
    for name in ALLOWED:
        found[name] = [(line, what) for line, what in found[name] if not what.endswith(("itself", "not ours"))]
    found[BECOMES] = [(line, what) for line, what in found[BECOMES] if what != "os.execv"]
    assert {name: what for name, what in found.items() if what} == {}


def test_every_exception_is_still_needed() -> None:
    assert all(offences((ROOT / name).read_text(encoding="utf-8")) for name in ALLOWED)


@pytest.mark.parametrize(
    "source",
    [
        "import os; os.system('ls')", "from os import system as s; s('ls')", "import os; os.popen(x)",
        "import subprocess; subprocess.run('ls', shell=True)", "import subprocess; subprocess.run(x, shell=y)",
        "import subprocess; subprocess.run(['ls'])", "import subprocess as s; s.Popen(command)",
        "import subprocess; subprocess.run([sys.executable, '-P', '-m', 'compecon.a'])", "import os; os.fork()",
        "from multiprocessing import Process\nProcess(target=f)", "import multiprocessing as m; m.get_context('spawn')",
        "import sys; python = sys.executable", "from compecon import children; children.output('-m', module)",
        "from compecon import children; children.output('-m', 'http.server')",
        "from compecon import children; children.start('-c', text)",
        "from compecon.children import start\ntext = 'a' + b\nstart('-c', text)",
        "from compecon.children import start\nstart(*arguments)",
        "from compecon.children import start\na = ('-m', 'compecon.a')\na = given\nstart(*a)",
        "import os; os.execv(a, b)", "eval(text)", "exec(text)", "import pickle; pickle.loads(data)",
    ],
)  # fmt: skip
def test_what_must_not_be_is_seen(source: str) -> None:
    assert offences(source)


@pytest.mark.parametrize(
    "source",
    [
        "from compecon import children; children.start('-m', 'compecon.runs.worker', folder)",
        "from compecon.children import start\na = ('-m', 'compecon.runs.worker', *more)\nstart(*a)",
        "from compecon.children import start\nstart(*('-m', 'compecon.a', folder), folder=b)",
        "from compecon import children\n_LIST = 'print(1)'\nchildren.output('-c', _LIST, folder)",
        "import re; re.compile('a')", "import subprocess; subprocess.list2cmdline(a)", "model.eval()",
    ],
)  # fmt: skip
def test_what_is_ours_passes(source: str) -> None:
    assert offences(source) == []

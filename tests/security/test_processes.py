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
    "asyncio.create_subprocess_exec", "multiprocessing.Process",
}  # fmt: skip
EVALUATING = {"eval", "exec", "compile", "__import__", "pickle.load", "pickle.loads", "marshal.loads", "yaml.load"}
ALLOWED = {
    "compecon/benchmarks/bertviz_kit.py": "a benchmark: the interpreter of a rival's own environment",
}


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


def starts_our_own(argument: ast.expr, given: dict[str, list[ast.expr]]) -> bool:
    """Whether an argument list begins with this interpreter and one of our modules or a program written here."""
    if isinstance(argument, ast.Name):
        values = given.get(argument.id, [])
        return bool(values) and all(not isinstance(v, ast.Name) and starts_our_own(v, given) for v in values)
    if not isinstance(argument, ast.List | ast.Tuple):
        return False
    words = [ast.unparse(_written_out(word, given)) for word in argument.elts]
    flags = [word.strip("'") for word in words[1:]]
    while flags and flags[0] in ("-I", "-s", "-P", "-u", "-B"):  # of the interpreter: isolate, leave out, do not buffer
        flags.pop(0)
    module = flags[:1] == ["-m"] and flags[1:] != [] and flags[1].split(".")[0] in ("compecon", "__name__")
    program = flags[:1] == ["-c"] and len(words) > 2 and words[words.index("'-c'") + 1][:1] in ("'", '"')
    return words[:1] == ["sys.executable"] and (module or program)


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
        elif name in STARTERS and not (call.args and starts_our_own(call.args[0], given)):
            found.append((call.lineno, f"{name} of something that is not ours"))
    return found


@pytest.mark.parametrize("path", files(), ids=name_of)
def test_only_our_own_modules_are_started_and_never_through_a_shell(path: Path) -> None:
    found = offences(path.read_text(encoding="utf-8"))
    if name_of(path) in ALLOWED:
        found = [(line, what) for line, what in found if "not ours" not in what]
    assert found == []


def test_every_exception_is_still_needed() -> None:
    assert all(offences((ROOT / name).read_text(encoding="utf-8")) for name in ALLOWED)


@pytest.mark.parametrize(
    "source",
    [
        "import os; os.system('ls')", "from os import system as s; s('ls')", "import os; os.popen(x)",
        "import subprocess; subprocess.run('ls', shell=True)", "import subprocess; subprocess.run(x, shell=y)",
        "import subprocess; subprocess.run(['ls'])", "import subprocess as s; s.Popen(command)",
        "from subprocess import run\nrun([sys.executable, '-c', text])",
        "from subprocess import run\nrun([sys.executable, '-m', module])",
        "from subprocess import run\nrun([sys.executable, '-m', 'http.server'])",
        "from subprocess import run\ncommand = 'ls'\nrun(command)",
        "from subprocess import run\ncommand = [sys.executable, '-m', 'compecon.a']\ncommand = given\nrun(command)",
        "from subprocess import run\ntext = 'a' + b\nrun([sys.executable, '-c', text])",
        "import os; os.execv(a, b)", "eval(text)", "exec(text)", "import pickle; pickle.loads(data)",
    ],
)  # fmt: skip
def test_what_must_not_be_is_seen(source: str) -> None:
    assert offences(source)


@pytest.mark.parametrize(
    "source",
    [
        "from subprocess import run\nrun([sys.executable, '-m', 'compecon.runs.worker', folder])",
        "from subprocess import Popen\ncommand = [sys.executable, '-m', 'compecon.runs.worker', *more]\nPopen(command)",
        "from subprocess import run\nrun([sys.executable, '-I', '-m', 'compecon.a'], shell=False)",
        "from subprocess import run\n_LIST = 'print(1)'\nrun([sys.executable, '-c', _LIST, folder])",
        "import re; re.compile('a')", "import subprocess; subprocess.list2cmdline(a)", "model.eval()",
    ],
)  # fmt: skip
def test_what_is_ours_passes(source: str) -> None:
    assert offences(source) == []

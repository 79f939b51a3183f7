"""The layers and the few places where a library may be used, read off the syntax trees.

A file imports from layers below its own and from its own unit (a module or sub-package of compecon, `app`, `pages`);
units that share a layer do not import each other. That holds for types too; a library may be named as a type anywhere
(`if TYPE_CHECKING`), because that loads nothing.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = [  # from the bottom up
    {"_lazy", "errors", "paths", "provenance", "registry"},
    {"files", "callbacks"},
    {"children"},
    {"settings"},
    {"tables"},
    {"stats", "latency"},
    {"allocation"},
    {"attention"},
    {"compression"},
    {"flops", "checkpoints", "incentives"},
    {"tasks"},
    {"evaluation"},
    {"serving"},
    {"training"},
    {"runs"},
    {"studies"},
    {"views"},
    {"benchmarks"},
    {"app"},
    {"pages"},
    {"commands"},
    {"cli"},
]
RANK = {unit: rank for rank, layer in enumerate(LAYERS) for unit in layer}
TRANSFORMERS = (
    "compecon/attention/hooks.py",
    "compecon/attention/installing.py",
    "compecon/attention/interface.py",
    "compecon/compression/architectures.py",
    "compecon/checkpoints/",
    "compecon/evaluation/",
    "compecon/tasks/",
    "compecon/training/",
)
DOCSTRING_ONLY = [
    "compecon/studies/__init__.py",
    "compecon/views/__init__.py",
]
WITHOUT_TORCH = [
    "__init__",
    "allocation/rules/__init__",
    "allocation/streams/stream",
    "attention/policies/__init__",
    "callbacks/callbacks",
    "callbacks/watch",
    "checkpoints/catalog",
    "checkpoints/checkpoint_fingerprint",
    "checkpoints/gate/intake",
    "cli",
    "compression/model_shape",
    "compression/shape",
    "errors",
    "evaluation/row_records",
    "evaluation/evaluation_records",
    "evaluation/row_store",
    "files/complete",
    "files/safe_reader",
    "files/schema",
    "flops",
    "paths",
    "registry",
    "runs/executors/local",
    "runs/jobs/expected",
    "runs/jobs/job_registry",
    "runs/jobs/machine_speed",
    "runs/jobs/options",
    "runs/jobs/rehearsal",
    "runs/work",
    "settings/setting",
    "tables/reader",
    "tasks/cut",
    "tasks/row_counts",
    "tasks/understood_task",
    "training/incentive_settings",
    "training/plans",
    "training/training_settings",
    "views/attention/frames",
    "views/help/guide",
]


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def found_in(files: list[Path], check: Callable[[Path], object]) -> dict[str, object]:
    """What a check objects to, by file. One test looks at all files: there are hundreds, and a look takes no time."""
    return {name_of(path): found for path in files if (found := check(path))}


def unit_of(module: str) -> str | None:
    """`compecon.attention.hooks` -> `attention`, `app.state` -> `app`; None for other libraries."""
    top, *inner = module.split(".")
    if top == "compecon":
        return inner[0] if inner and inner[0] != "__init__" else None
    return top if top in {"app", "pages"} else None


def imports(tree: ast.Module, package: list[str]) -> Iterator[str]:
    """Absolute names of all that a module of `package` imports; `from a import b` gives `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


@cache
def imports_of(path: Path) -> set[str]:
    return set(imports(ast.parse(path.read_text()), list(path.relative_to(ROOT).parent.parts)))


class _WithoutTypeChecking(ast.NodeTransformer):
    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        return node.orelse if ast.unparse(node.test).endswith("TYPE_CHECKING") else self.generic_visit(node)


def libraries(tree: ast.Module) -> set[str]:
    """Top-level names of what is really imported."""
    return {name.split(".")[0] for name in imports(_WithoutTypeChecking().visit(tree), [])}


@cache
def libraries_of(path: Path) -> set[str]:
    return libraries(ast.parse(path.read_text()))


def upward_imports(module: str, imported: set[str]) -> set[str]:
    unit = unit_of(module)
    others = {name: unit_of(name) for name in imported}
    return {
        name
        for name, other in others.items()
        if unit is not None and other is not None and other != unit and not RANK[other] < RANK[unit]
    }


@cache
def attributes_of(path: Path) -> set[str]:
    """Every `x` in `something.x` and in `from something import x`."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    read = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return read | {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}


# ---- layers


def test_imports_point_downwards():
    def unplaced(path: Path) -> set[str | None]:
        return {unit_of(name) for name in [module_of(path), *imports_of(path)]} - RANK.keys() - {None}

    files = python_files("compecon", "app", "pages")
    assert found_in(files, unplaced) == {}, "give these a place in LAYERS"
    upward = found_in(files, lambda path: upward_imports(module_of(path), imports_of(path)))
    assert upward == {}, "imports go down, and never sideways"


def circle_in(imported: dict[str, set[str]]) -> list[str]:
    """Names that need each other, the first one again at the end; empty if there are none."""
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def module_graph() -> dict[str, set[str]]:
    """What each module imports of the others: late imports and those for types count."""
    files = {module_of(path).removesuffix(".__init__"): path for path in python_files("compecon", "app", "pages")}

    def target(name: str) -> str | None:
        return next((known for known in (name, name.rpartition(".")[0]) if known in files), None)

    return {
        module: {other for name in imports_of(path) if (other := target(name)) not in (None, module)}
        for module, path in files.items()
    }


def folder_graph() -> dict[str, set[str]]:
    """The same of folders; what a folder has to do with those within it is left out."""
    folders: dict[str, set[str]] = {}
    graph = module_graph()
    packages = {name for name in graph if any(other.startswith(f"{name}.") for other in graph)}
    alone = packages | {name for name in graph if name.count(".") < 2}  # `compecon.cli` is a unit of its own
    folder = {name: name if name in alone else name.rpartition(".")[0] for name in graph}
    for module, others in graph.items():
        folders.setdefault(folder[module], set()).update(folder[other] for other in others)
    return {
        name: {each for each in others if not (f"{each}.".startswith(f"{name}.") or f"{name}.".startswith(f"{each}."))}
        for name, others in folders.items()
    }


def test_no_modules_import_each_other():
    assert circle_in(module_graph()) == []


def test_no_folders_import_each_other():
    assert circle_in(folder_graph()) == []


@pytest.mark.parametrize("name", [name for name in DOCSTRING_ONLY if (ROOT / name).exists()])
def test_a_light_package_holds_a_docstring_and_nothing_else(name):
    assert [type(node) for node in ast.parse((ROOT / name).read_text()).body] in ([], [ast.Expr])


def light_modules() -> list[str]:
    there = [name for name in WITHOUT_TORCH if (ROOT / "compecon" / f"{name}.py").exists()]
    return [f"compecon.{name}".replace("/", ".").removesuffix(".__init__") for name in there]


@pytest.fixture(scope="module")
def loaded_by() -> dict[str, list[str]]:
    """Heavy libraries by the light module that loads them, if all are imported one after the other."""
    program = f"""
import importlib, json, sys
found, before = {{}}, set()
for name in {light_modules()}:
    importlib.import_module(name)
    heavy = {{"torch", "transformers", "streamlit"}} & set(sys.modules)
    found[name], before = sorted(heavy - before), heavy
print(json.dumps(found))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", light_modules())
def test_a_light_module_loads_neither_torch_nor_transformers(loaded_by, module):
    assert loaded_by[module] == []


# ---- libraries in their places


def test_the_library_knows_no_screen():
    """It runs one file of the dashboard, and one file of its own draws what a command writes without a dashboard."""
    screens = {"streamlit", "plotly", "altair", "app", "pages"}
    drawing = found_in(python_files("compecon"), lambda path: screens & libraries_of(path))
    assert drawing == {"compecon/views/frontier/experiment_chart.py": {"plotly"}}


def test_the_module_path_is_left_alone():
    """What is put there hides modules of others, in this process and in all that it starts."""

    def names_it(path: Path) -> bool:
        return any(ast.unparse(node) == "sys.path" for node in ast.walk(ast.parse(path.read_text())))

    assert found_in(python_files("compecon", "app", "pages"), names_it).keys() == {
        "compecon/children/__init__.py",  # reads it
        "compecon/runs/waiter.py",  # has no other, and becomes a worker without it
    }


def test_transformers_is_used_in_few_places():
    others = [path for path in python_files("compecon", "app", "pages") if not name_of(path).startswith(TRANSFORMERS)]
    using = found_in(others, lambda path: "transformers" in libraries_of(path))
    assert using == {}, f"transformers belongs in {', '.join(TRANSFORMERS)}"


def test_playwright_is_used_in_benchmarks_alone():
    others = [path for path in python_files("compecon", "app", "pages") if "compecon/benchmarks" not in name_of(path)]
    assert found_in(others, lambda path: "playwright" in libraries_of(path)) == {}


def test_charts_are_drawn_without_streamlit():
    assert found_in(python_files("app/charts"), lambda path: "streamlit" in libraries_of(path)) == {}


@pytest.mark.parametrize(
    ("names", "home"),
    [
        ({"session_state", "query_params"}, "app/state/"),
        ({"cache_data", "cache_resource"}, "app/server/resources.py"),
        ({"dataframe", "data_editor"}, "app/parts/data_table.py"),
        ({"v2"}, "app/parts/canvas.py"),
    ],
    ids=["state", "caches", "tables", "components"],
)
def test_what_only_one_module_of_the_dashboard_may_use(names, home):
    others = [path for path in python_files("app", "pages") if not name_of(path).startswith(home)]
    assert found_in(others, lambda path: names & attributes_of(path)) == {}


def test_a_page_is_thin():
    pages = python_files("pages")
    assert found_in(pages, lambda path: len(path.read_text().splitlines()) > 80) == {}
    assert found_in(pages, lambda path: "session_state" in path.read_text()) == {}, "state lives in app/state"
    heavy = found_in(pages, lambda path: {"torch", "transformers", "plotly"} & libraries_of(path))
    assert heavy == {}, "views compute and charts draw"


def test_files_are_short():
    long = found_in(python_files("compecon", "app", "pages"), lambda path: len(path.read_text().splitlines()) > 260)
    assert long == {}, "split these by what they are about"


# ---- documentation


def undocumented(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    documented = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = [node for node in tree.body if isinstance(node, documented) and not node.name.startswith("_")]
    silent = [node.name for node in public if not ast.get_docstring(node)]
    return silent if ast.get_docstring(tree) else ["the module", *silent]


def test_every_public_name_has_a_docstring():
    assert found_in(python_files("compecon"), undocumented) == {}


# ---- the checks themselves


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("import compecon.stats.inequality as m, torch", {"compecon.stats.inequality", "torch"}),
        ("from compecon import errors, flops", {"compecon.errors", "compecon.flops"}),
        ("from . import hooks", {"compecon.attention.hooks"}),
        ("from .budget import Budget", {"compecon.attention.budget.Budget"}),
        ("from .. import errors", {"compecon.errors"}),
        ("def f():\n    from ..views.spans import read", {"compecon.views.spans.read"}),
    ],
)
def test_imports_are_read_as_absolute_names(line, expected):
    assert set(imports(ast.parse(line), ["compecon", "attention"])) == expected


def test_a_type_is_not_a_library_in_use():
    source = "import torch.nn\nif TYPE_CHECKING:\n    from transformers import PreTrainedModel\nelse:\n    import numpy"
    assert libraries(ast.parse(source)) == {"torch", "numpy"}


def test_a_circle_is_found_wherever_it_begins():
    assert set(circle_in({"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"b"}})) == {"b", "c", "d"}
    assert circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize(
    ("module", "imported", "allowed"),
    [
        ("compecon.attention.hooks", "compecon.stats.inequality.gini", True),
        ("compecon.attention.hooks", "compecon.attention.policies", True),
        ("compecon.attention.hooks", "compecon.checkpoints.load", False),
        ("compecon.stats.inequality", "compecon.flops", False),
        ("compecon.views.attention.frames", "app.state", False),
        ("app.state", "compecon.views.attention.frames", True),
        ("app.state", "pages.attention", False),
        ("pages.attention", "app.state", True),
        ("app.streamlit_app", "compecon.cli", False),
    ],
)
def test_a_layer_may_use_what_is_below_it(module, imported, allowed):
    assert (upward_imports(module, {imported}) == set()) is allowed

"""Text of users, models and data never becomes markdown: read off the syntax trees of everything that draws.

Streamlit renders markdown in bodies, labels, helps and some menus; a picture in it is fetched by the browser of whoever
looks. What is not written down in the program goes through ``escaped`` or is drawn by what draws letters alone
(``text``, ``code``, ``dataframe``, the options of a selectbox).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BODIES = {
    "markdown", "write", "caption", "title", "header", "subheader", "html", "latex", "badge", "info", "warning",
    "error", "success", "toast", "write_stream",
}  # fmt: skip
LABELS = {
    "button", "download_button", "link_button", "page_link", "form_submit_button", "checkbox", "toggle", "radio",
    "selectbox", "multiselect", "pills", "segmented_control", "slider", "select_slider", "text_input", "text_area",
    "number_input", "date_input", "time_input", "color_picker", "file_uploader", "camera_input", "audio_input",
    "chat_input", "chat_message", "feedback", "metric", "expander", "popover", "status", "spinner", "tabs", "dialog",
    "menu_button", "data_editor", "Page", "set_page_config", "progress",
}  # fmt: skip
MARKDOWN_OPTIONS = {
    "radio",
    "pills",
    "segmented_control",
    "tabs",
    "menu_button",
}  # of these, the options are markdown too
WORDS = {"label", "body", "help", "title", "page_title", "text", "caption", "captions", "tooltip", "delta"}
FILES_FIRST = {"Page", "set_page_config"}  # their first argument is a file
SAFE = {"escaped": "escapes", "len": "a number", "round": "a number", "int": "a number", "float": "a number"}
LABELLED = "the label and the help that setting_field has escaped"
ALLOWED = {  # file, function, argument
    ("app/streamlit_app.py", "html", "ROOT / 'assets' / 'frame.css'"): "our own style sheet",
    (
        "app/attention/hub_panel.py",
        "button",
        "f'Download {_size(plan.total_bytes)}'",
    ): "a number of bytes, written by _size",
    (
        "app/attention/hub_panel.py",
        "progress",
        "f'{_size(done)} of {_size(total)}'",
    ): "two numbers of bytes, written by _size",
    ("app/help/help_page.py", "markdown", "pages[topic].text"): "the guide that comes with compecon",
    (
        "app/parts/widgets.py",
        "toast",
        "'1 model unloaded.' if n_models == 1 else f'{n_models} models unloaded.'",
    ): "a count",
    ("app/train/train_page.py", "segmented_control", "PRIORITIES"): "the words of our own that a priority may be",
    ("app/train/run_panel.py", "segmented_control", "PARTS"): "drawn as the four words that the file zips with them",
    ("app/train/form_fields.py", "number_input", "label"): LABELLED,
    ("app/train/form_fields.py", "number_input", "**common"): LABELLED,
    ("app/train/train_page.py", "text_input", "OWN_FILES_HELP"): "our own words",
    ("app/compare/measure_form.py", "text_input", "OWN_FILES_HELP"): "our own words",
}


def drawing_files() -> list[Path]:
    return sorted(path for folder in ("app", "pages") for path in (ROOT / folder).rglob("*.py"))


# ---- which expressions are safe


def is_safe(node: ast.expr, known: set[str]) -> bool:
    """Whether an expression can only be text of our own, a number, or escaped; ``known`` are names that are."""
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name in known
        case ast.Call(func=ast.Name(id=name)):
            return name in SAFE
        case ast.FormattedValue(format_spec=form) if _is_number_format(form):
            return True
    parts = _parts(node)
    return bool(parts) and all(is_safe(part, known) for part in parts)


def _parts(node: ast.expr) -> list[ast.expr]:
    """What an expression is put together from; nothing for kinds that are not understood."""
    match node:
        case ast.JoinedStr(values=parts) | ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            return parts
        case ast.Dict(values=parts) | ast.Set(elts=parts):
            return parts
        case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, op=ast.Add(), right=second):
            return [first, second]
    match node:
        case ast.FormattedValue(value=value) | ast.Starred(value=value) | ast.ListComp(elt=value):
            return [value]
        case ast.GeneratorExp(elt=value) | ast.Subscript(value=value):  # an entry of a table that is written down
            return [value]
    return []


def _is_number_format(form: ast.expr | None) -> bool:
    """``{x:.2f}`` fails for anything but a number."""
    if not isinstance(form, ast.JoinedStr) or not all(isinstance(part, ast.Constant) for part in form.values):
        return False
    return "".join(str(part.value) for part in form.values if isinstance(part, ast.Constant)).endswith(tuple("fged%,"))


def writes_safely(function: ast.expr, known: set[str]) -> bool:
    """Whether what a ``format_func`` gives back is safe: ``lambda n: escaped(n)``, or a look into a known table."""
    match function:
        case ast.Lambda(args=parameters, body=body):
            return is_safe(body, known - {each.arg for each in parameters.args})
        case ast.Attribute(value=ast.Name(id=name), attr="__getitem__" | "get"):
            return name in known
        case ast.Name(id=name):
            return name == "escaped"
    return False


def gives_safe_words(node: ast.expr, known: set[str]) -> bool:
    """Whether ``**node`` brings no foreign text: a dict that is written out, with safe words in it."""
    if isinstance(node, ast.Name):
        return f"**{node.id}" in known
    if not isinstance(node, ast.Dict):
        return False
    pairs = list(zip(node.keys, node.values, strict=True))
    named = all(isinstance(key, ast.Constant) for key, _ in pairs)
    words = [value for key, value in pairs if isinstance(key, ast.Constant) and key.value in WORDS]
    return named and all(is_safe(value, known) for value in words)


# ---- which names are safe


def bindings(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr | None]]:
    """Names that a body binds, each with its value, or None where that is not to be seen."""
    for node in (n for statement in body for n in _within(statement)):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _bound(target, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.For(target=target, iter=source) | ast.comprehension(target=target, iter=source):
                yield from _bound(target, source if isinstance(source, ast.List | ast.Tuple) else None)
            case ast.AugAssign(target=target) | ast.NamedExpr(target=target):
                yield from _bound(target, None)
            case ast.withitem(optional_vars=ast.expr() as target):
                yield from _bound(target, None)


def _bound(target: ast.expr, value: ast.expr | None) -> Iterator[tuple[str, ast.expr | None]]:
    match target, value:
        case ast.Name(id=name), _:
            yield name, value
        case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
            for each, of in zip(targets, values, strict=True):
                yield from _bound(each, of)
        case ast.Tuple(elts=targets), _:
            for each in targets:
                yield from _bound(each, value)


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and what is in it, without the functions inside it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _within(child)


def names_within(body: list[ast.stmt], parameters: set[str], outer: set[str]) -> set[str]:
    """The safe names inside a body: those from outside that it does not bind, and its own whose every value is safe."""
    values: dict[str, list[ast.expr | None]] = {name: [None] for name in parameters}
    for name, value in bindings(body):
        values.setdefault(name, []).append(value)
    known = {name for name in outer if name.lstrip("*") not in values}
    for _ in range(3):  # a name may stand on the one before it
        for name, given in values.items():
            if all(value is not None and is_safe(value, known) for value in given):
                known.add(name)
            if all(value is not None and gives_safe_words(value, known) for value in given):
                known.add(f"**{name}")
    return known


# ---- which arguments are markdown


def risky(call: ast.Call, name: str, known: set[str]) -> Iterator[ast.expr]:
    """The arguments of a drawing call that Streamlit reads as markdown."""
    if name in {"write", "html", "table"}:
        yield from call.args
    elif name == "progress":  # the first is a number
        yield from call.args[1:2]
    elif name in BODIES | LABELS - FILES_FIRST:
        yield from call.args[:1]
    if name == "metric":
        yield from call.args[1:3]
    written = [k.value for k in call.keywords if k.arg == "format_func"]
    if name in MARKDOWN_OPTIONS and not (written and writes_safely(written[0], known)):
        yield from call.args[1:2]
        yield from (k.value for k in call.keywords if k.arg == "options")
    yield from (k.value for k in call.keywords if k.arg in WORDS or (name == "table" and k.arg == "data"))


def judged(call: ast.Call, known: set[str]) -> Iterator[tuple[int, str, str]]:
    """Line, function and argument of what a call would let through."""
    if not isinstance(call.func, ast.Attribute):
        return
    name, of = call.func.attr, ast.unparse(call.func.value)
    if name not in BODIES | LABELS | {"table"} and of.split(".")[0] != "st":
        return
    if name == "exception" and of == "st":  # shows what an error says, to everybody
        yield call.lineno, name, "never"
    for argument in risky(call, name, known):
        if not is_safe(argument, known):
            yield call.lineno, name, ast.unparse(argument)
    for keyword in call.keywords:
        if keyword.arg is None and name in LABELS and not gives_safe_words(keyword.value, known):
            yield call.lineno, name, f"**{ast.unparse(keyword.value)}"


def offences(source: str) -> list[tuple[int, str, str]]:
    """Everything in a file that could let foreign text become markup."""
    return list(_offences_in(ast.parse(source).body, set(), set()))


def _offences_in(body: list[ast.stmt], parameters: set[str], outer: set[str]) -> Iterator[tuple[int, str, str]]:
    known = names_within(body, parameters, outer)
    for node in (n for statement in body for n in _around(statement)):
        if isinstance(node, ast.Call):
            yield from judged(node, known)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            rest = [each for each in (node.args.vararg, node.args.kwarg) if each]
            yield from _offences_in(node.body, {each.arg for each in [*arguments, *rest]}, known)


def _around(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and what is in it; functions inside it by themselves, for their own names."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        for child in ast.iter_child_nodes(node):
            yield from _around(child)


# ---- the files


@pytest.mark.parametrize("path", drawing_files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_drawn_as_markdown_is_ours_or_escaped(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    left = [found for found in offences(path.read_text(encoding="utf-8")) if (name, *found[1:]) not in ALLOWED]
    assert left == [], (
        "pass it through escaped(...) of app/parts/widgets.py, or draw it with st.text, st.code, st.dataframe"
    )


def test_every_exception_is_still_needed() -> None:
    needed = {
        (path.relative_to(ROOT).as_posix(), *found[1:])
        for path in drawing_files()
        for found in offences(path.read_text(encoding="utf-8"))
    }
    assert set(ALLOWED) <= needed


# ---- the check itself


@pytest.mark.parametrize(
    "line",
    [
        "st.markdown(name)", "st.write('a', name)", "st.error(str(error))", "st.button(f'Open {name}')",
        "st.markdown('a' + name)", "st.markdown('%s' % name)", "st.markdown('{}'.format(name))", "box.caption(name)",
        "st.metric('a', 1, delta=name)", "st.selectbox('a', names, help=name)", "st.radio('a', names)",
        "st.tabs(names)", "st.tabs([name, 'b'])", "st.pills('a', options=names)", "st.table(rows)", "st.exception(e)",
        "st.progress(0.1, text=name)", "st.progress(0.1, name)", "st.toast(name)", "st.html(name)", "st.expander(name)",
        "st.markdown(f'{name:>20}')", "st.markdown(name if x else 'b')", "st.markdown(escaped)", "st.spinner(name)",
        "st.sidebar.markdown(name)", "st.columns(2)[0].markdown(name)", "st.markdown(escaped(a) + b)",
        "st.column_config.TextColumn(help=name)", "st.status(label=name)", "st.Page('a.py', title=name)",
        "st.markdown(names['a'])", "with st.expander(name): pass", "st.table({'a': [x for x in names]})",
        "a = 'b'\na = name\nst.markdown(a)", "def f(a):\n    st.markdown(a)", "A = 'b'\ndef f(A):\n    st.markdown(A)",
        "for a in names:\n    st.markdown(a)", "a, b = name\nst.markdown(a)", "a = escaped(b)\na += b\nst.markdown(a)",
        "st.pills('a', names, format_func=lambda n: n)", "st.pills('a', names, format_func=str)",
        "st.button('a', **given)", "given = {'help': name}\nst.button('a', **given)",
        "def f():\n    a = escaped(b)\ndef g():\n    st.markdown(a)", "with f() as a:\n    st.markdown(a)",
        "A = {'a': name}\nst.markdown(A['a'])", "async def f(a):\n    st.markdown(a)",
        "E = 'a'\nst.pills('a', names, format_func=lambda E: E)", "[st.markdown(a) for a in names]",
    ],
)  # fmt: skip
def test_foreign_text_is_seen(line: str) -> None:
    assert offences(line)


@pytest.mark.parametrize(
    "line",
    [
        "st.markdown('**a**')", "st.markdown(escaped(name))", "st.markdown(f'**{escaped(name)}** {n:.2f} {len(x)}')",
        "st.text(name)", "st.code(name)", "st.dataframe(rows)", "st.selectbox('a', names)", "st.tabs(['a', 'b'])",
        "st.button('a' if x else 'b')", "st.markdown(f'{n:,} of {m:,d}, {share:.0%}')", "bar.progress(done / total)",
        "TEXT = 'a'\nst.markdown(TEXT)", "TEXTS = {'a': 'b'}\nst.markdown(TEXTS[name])", "st.plotly_chart(figure)",
        "st.radio('a', ['b', 'c'])", "st.markdown('a' + escaped(name))", "st.table({'a': [escaped(x) for x in names]})",
        "st.pills('a', names, format_func=lambda n: escaped(n))", "st.pills('a', names, format_func=escaped)",
        "A = {'a': 'b'}\nst.pills('a', names, format_func=A.__getitem__)",
        "def f(a):\n    b = escaped(a)\n    st.markdown(b)", "for a in ('b', 'c'):\n    st.markdown(a)",
        "given = {'key': name, 'help': escaped(name)}\nst.button('a', **given)",
        "A = {'a': ('b', 'c')}\nx, y = A[name]\nst.button(x, help=y)",
        "a, b = ([escaped(x[n]) for x in names] for n in (0, 1))\nst.table({'a': a, 'b': b})",
        "a, b = escaped(x), escaped(y)\nst.markdown(a + b)", "_LOG.error('a', name)",
    ],
)  # fmt: skip
def test_what_is_ours_passes(line: str) -> None:
    assert offences(line) == []

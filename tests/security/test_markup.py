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
MARKDOWN_OPTIONS = {"radio", "pills", "segmented_control", "tabs"}  # of these, the options are markdown too
WORDS = {"label", "body", "help", "title", "page_title", "text", "caption", "captions", "tooltip", "delta"}
NEVER = {"table", "exception"}  # draws cells as markdown; shows what an error says, to everybody
SAFE = {"escaped": "escapes", "len": "a number", "round": "a number", "int": "a number", "float": "a number"}
ALLOWED = {
    ("app/streamlit_app.py", "html"): "our own style sheet, read from assets",
    ("app/hub.py", "button"): "a number of bytes, written by _size",
    ("app/hub.py", "progress"): "two numbers of bytes, written by _size",
    ("app/widgets.py", "toast"): "a count of models",
}


def drawing_files() -> list[Path]:
    return sorted(path for folder in ("app", "pages") for path in (ROOT / folder).rglob("*.py"))


def constants(tree: ast.Module) -> set[str]:
    """Names of the module that stand for something written down in it."""
    assigned = [n for n in tree.body if isinstance(n, ast.Assign | ast.AnnAssign) and n.value is not None]
    return {
        target.id
        for node in assigned
        if _is_written(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }


def _is_written(value: ast.expr | None) -> bool:
    try:
        ast.literal_eval(value)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return False
    return True


def is_safe(node: ast.expr, known: set[str]) -> bool:
    """Whether an expression can only be text of our own, a number, or escaped."""
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
        case ast.IfExp(body=first, orelse=second) | ast.BinOp(left=first, op=ast.Add(), right=second):
            return [first, second]
        case ast.FormattedValue(value=value) | ast.Starred(value=value):
            return [value]
        case ast.Subscript(value=value):  # an entry of a table that is written down
            return [value]
    return []


def _is_number_format(form: ast.expr | None) -> bool:
    """``{x:.2f}`` fails for anything but a number."""
    if not isinstance(form, ast.JoinedStr) or not all(isinstance(part, ast.Constant) for part in form.values):
        return False
    return "".join(str(part.value) for part in form.values if isinstance(part, ast.Constant)).endswith(tuple("fged%,"))


def risky(call: ast.Call, name: str) -> Iterator[ast.expr]:
    """The arguments of a drawing call that Streamlit reads as markdown."""
    if name in BODIES | LABELS - {"Page", "set_page_config"}:  # of these two, the first is a file
        yield from call.args[:1] if name not in {"write", "html"} else call.args
    if name in MARKDOWN_OPTIONS:
        yield from call.args[1:2]
    if name == "metric":
        yield from call.args[1:3]
    if name == "progress":
        yield from call.args[1:2]
    for keyword in call.keywords:
        if keyword.arg in WORDS or (keyword.arg == "options" and name in MARKDOWN_OPTIONS):
            yield keyword.value


def offences(source: str) -> list[tuple[int, str, str]]:
    """Line, function and argument of everything that could let foreign text become markup."""
    tree = ast.parse(source)
    known, found = constants(tree), []
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
        if not isinstance(call.func, ast.Attribute):
            continue
        name, of = call.func.attr, ast.unparse(call.func.value)
        drawn = name in BODIES | LABELS | NEVER or of.split(".")[0] == "st"
        if name in NEVER and of == "st":
            found.append((call.lineno, name, "never"))
        elif drawn and not (name == "progress" and len(call.args) == 1 and not call.keywords):
            bad = [a for a in risky(call, name) if not is_safe(a, known)]
            found += [(call.lineno, name, ast.unparse(argument)) for argument in bad]
    return found


@pytest.mark.parametrize("path", drawing_files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_drawn_as_markdown_is_ours_or_escaped(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    left = [found for found in offences(path.read_text(encoding="utf-8")) if (name, found[1]) not in ALLOWED]
    assert left == [], "pass it through escaped(...) of app/widgets.py, or draw it with st.text, st.code, st.dataframe"


def test_every_exception_is_still_needed() -> None:
    needed = {
        (path.relative_to(ROOT).as_posix(), found[1])
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
        "st.markdown(names['a'])", "with st.expander(name): pass",
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
        "st.radio('a', ['b', 'c'])", "st.markdown('a' + escaped(name))",
    ],
)  # fmt: skip
def test_what_is_ours_passes(line: str) -> None:
    assert offences(line) == []

"""The first picture of a page: which canvas draws it, and from what. Loads no Streamlit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

from app.server.addresses import PREFIX
from app.server.guard import page_token
from app.server.recordings import sources_of
from app.state.attention_choice import DEVICES, AttentionChoice, CanvasView, default_choice
from app.state.old_names import renewed
from compecon.views.attention.example_texts import FIRST_PAIR, examples_for
from compecon.views.attention.traces import DEFAULT_POLICY

FIRST_CHECKPOINT = "sentiment"
_SWITCH_PX = 45  # the switch between the parts of the Compare page
_FILTER_PX = 136.5  # heading and filter of the list of runs
_CHOICE = frozenset(AttentionChoice.__dataclass_fields__)


@final
@dataclass(frozen=True)
class FirstPicture:
    """A picture that needs no Streamlit."""

    canvas: str  # folder of its script, markup and style
    source: str  # what is fetched for it, from the first moment on
    styles: tuple[str, ...] = ()  # canvases whose styles come before its own
    request: Mapping[str, Any] | None = None  # what its canvas is handed; None for what the source answers, as JSON
    below: float = 0  # pixels that Streamlit's own widgets take above it
    is_wide: bool = False  # whether that is true of wide screens alone
    is_isolated: bool = True  # whether its styles are its own; Plotly puts a style sheet into the page


def params_of(request: Request) -> dict[str, str]:
    """Parameters of an address, with the names of today; of one given twice, the last."""
    return renewed(dict(parse_qsl(request.url.query, keep_blank_values=True)))[0]


def first_picture(path: str, params: Mapping[str, str]) -> FirstPicture | None:
    """The first picture at an address, or None if only Streamlit knows what is there.

    Args:
        path: Of the address.
        params: Of the address, as anybody may have written them.
    """
    if path == "/" and (asked := first_request(params)):
        return FirstPicture("canvas", asked["source"]["url"], request=asked)
    if path == "/compare" and params.get("part", "text") == "text" and _is_recorded_pair(params):
        return FirstPicture("compare", f"{PREFIX}/first/compare?{urlencode(params)}", ("canvas",), below=_SWITCH_PX)
    if path == "/train" and params.keys() <= {"run", "sort", "part"}:
        return FirstPicture("runs", f"{PREFIX}/first/train?{urlencode(params)}", below=_FILTER_PX, is_wide=True)
    if path == "/frontier":
        return FirstPicture("frontier", f"{PREFIX}/first/frontier?{urlencode(params)}", is_isolated=False)
    if path == "/allocation" and params.get("stream") != "file":
        return FirstPicture("allocation", f"{PREFIX}/first/allocation?{urlencode(params)}")
    return None


def _is_recorded_pair(params: Mapping[str, str]) -> bool:
    """Whether both sides of a comparison are, as far as can be told without the catalog of checkpoints."""
    first = examples_for(FIRST_PAIR[0])[0]
    given = {"text": first.text, "pair": "" if "text" in params else first.pair, "device": "auto"}
    given |= {"policy": DEFAULT_POLICY, "a": FIRST_PAIR[0], "b": FIRST_PAIR[1], **params}
    rest = {name: given[name] for name in _CHOICE - {"checkpoint"}}
    return all(sources_of(AttentionChoice(given[side], **rest))["source"]["body"] is None for side in "ab")


def first_request(params: Mapping[str, str]) -> dict[str, Any] | None:
    """What the Attention page will ask its canvas for at an address, or None if that was not recorded.

    Args:
        params: Of the address, as anybody may have written them.

    Returns:
        The canvas' data, equal to what the page itself hands over later but for the script to copy.
    """
    given = {**asdict(default_choice(FIRST_CHECKPOINT)), **{k: v for k, v in params.items() if k in _CHOICE}}
    own = examples_for(given["checkpoint"])
    if all(example.pair for example in own) and "text" not in params and "pair" not in params:
        given |= {"text": own[0].text, "pair": own[0].pair}  # it compares two texts
    if given["device"] not in DEVICES:
        given["device"] = "auto"
    choice = AttentionChoice(**given)
    sources = sources_of(choice)
    if sources["source"]["body"] is not None:
        return None
    view = asdict(CanvasView.from_mapping(params))
    return {
        **sources,
        "elastic": bool(sources["recorded"]),
        "python": "",
        "token": page_token(),
        "view": view,
        "error": None,
        "n_entered": 0,
    }


def first_data(page: str, params: Mapping[str, str]) -> dict[str, Any] | None:
    """What a page will hand to its canvas at an address, or None; takes a while, so it is for threads."""
    if page == "compare":
        from app.server import pair_request  # noqa: PLC0415 - the catalog of checkpoints

        return pair_request.first_pair_data(params)
    if page == "train":
        from app.server import run_list_data  # noqa: PLC0415 - the runs

        return run_list_data.first_list_data(params)
    if page == "frontier":
        from app.server import frontier_data  # noqa: PLC0415 - runs, checkpoints and studies

        return frontier_data.first_data(params)
    if page != "allocation":
        return None
    from app.canvas_data import allocation_data  # noqa: PLC0415 - NumPy and SciPy, which no other first picture needs

    return allocation_data.first_data(params)

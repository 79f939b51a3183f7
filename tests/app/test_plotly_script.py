"""Plotly's script without the kinds of traces that no page draws."""

from __future__ import annotations

from app.server.plotly_script import plotly_file, scatter_alone

HEAD = b'var Plotly=(()=>{var $a=W(e=>{e.x=1});var core=W((e,t)=>{"use strict";t.exports=$a()});'
KINDS = b'var bar=W((e,t)=>{t.exports=2});var p$=W((e,t)=>{"use strict";t.exports=bar()});'
LAST = b"var last=W((e,t)=>{var z=core();%bt.exports=z});return last();})();window.Plotly=Plotly;"


def test_the_core_and_what_it_is_made_of_stay_and_other_kinds_go() -> None:
    whole = HEAD + KINDS + LAST % b"z.register([bar(),p$()]);"
    assert scatter_alone(whole) == HEAD + LAST % b""


def test_a_bundle_of_another_kind_stays_whole() -> None:
    for script in (
        b"",
        b"alert(1)",
        KINDS + LAST % b"z.register([bar()]);",  # where is its core?
        HEAD + LAST % b"z.register([bar(1)]);",
        HEAD + KINDS + LAST % b"",
    ):
        assert scatter_alone(script) == script


def test_the_installed_script_is_of_the_kind_that_is_known() -> None:
    whole = plotly_file().read_bytes()
    kept = scatter_alone(whole)
    assert len(kept) < len(whole) / 3
    assert b"Licensed under the MIT license" in kept[:200]

"""The guide on the Help page: every page of it, links that lead on, and nothing that Streamlit would draw as markup."""

import re

import pytest

from compecon.paths import assets
from compecon.views.help.guide import INDEX, _page, guide

FOLDER = assets() / "guide"
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def prose(name: str) -> str:
    return CODE.sub("", guide()[name].text)


def test_every_file_is_a_page_and_the_index_is_first():
    assert set(guide()) == {path.stem for path in FOLDER.glob("*.md")}
    assert next(iter(guide())) == INDEX
    assert all(page.text.startswith(f"# {page.title}\n") for page in guide().values())
    assert len({page.title for page in guide().values()}) == len(guide())


def test_links_lead_to_pages_and_headings_that_exist():
    def heading_ids(name: str) -> set[str]:
        headings = re.findall(r"^#+ (.*)$", prose(name), re.MULTILINE)
        return {re.sub(r"[^\w]+", "-", heading.lower()).strip("-") for heading in headings}

    found = [link for name in guide() for link in re.findall(r"\]\((.*?)\)", prose(name))]
    inside = [link for link in found if "://" not in link]
    assert len(inside) > len(guide())
    for link in inside:
        page = re.fullmatch(r"(?:\?topic=(?P<topic>\w+))?(?:#(?P<heading>[\w-]+))?", link)
        assert page, link
        if page["topic"]:
            assert page["topic"] in guide(), link
            assert not page["heading"] or page["heading"] in heading_ids(page["topic"]), link


def test_streamlit_draws_every_page_as_it_is_written():
    """HTML would be shown letter by letter; dollars begin formulas, colons icons and colours."""
    for name in guide():
        assert re.findall(r"<(?!https?://)[\w/!][^>]*>|\$|:[a-z_-]+[:\[]", prose(name)) == [], name


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        ("[Runs](runs.md)", "[Runs](?topic=runs)"),
        ("[Files](runs.md#files)", "[Files](?topic=runs#files)"),
        ("[`runs`](runs.md)", "[`runs`](?topic=runs)"),
        ("[below](#costs)", "[below](#costs)"),
        ("[Ray](https://docs.ray.io)", "[Ray](https://docs.ray.io)"),
        ("[the cards](../checkpoints)", "the cards"),
        ("[README](../../README.md)", "README"),
        ("`[x](runs.md)`", "`[x](runs.md)`"),
        ("```\n[x](runs.md)\n```", "```\n[x](runs.md)\n```"),
        ("<!-- numbers: gains -->\n| a |\n<!-- end -->\nb", "| a |\nb"),
    ],
)
def test_a_text_is_drawn_with_links_within_the_dashboard(written, drawn):
    assert _page(f"# Title\n\n{written}\n").text == f"# Title\n\n{drawn}\n"

"""What a table shows is what its built-in download writes: no cell of it may become a formula."""

from streamlit.testing.v1 import AppTest


def page() -> None:
    from app.parts.data_table import data_table  # noqa: PLC0415 - AppTest runs the source of this function alone

    data_table({"name": ["=HYPERLINK(0)", "-1", "fine"], "@number": [-1.5, None, 2.0]}, alt="Some names")


def test_no_cell_of_a_table_begins_like_a_formula() -> None:
    [table] = AppTest.from_function(page, default_timeout=60).run().dataframe
    assert table.value["name"].tolist() == ["'=HYPERLINK(0)", "-1", "fine"]
    assert table.value["'@number"].iloc[0] == -1.5
    assert table.proto.placeholder == ""
    assert list(table.value.columns) == ["name", "'@number"]

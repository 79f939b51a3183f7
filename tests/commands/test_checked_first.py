"""What can be told in a moment is told before anything that takes long: a checkpoint's name before the data is read."""

import pytest

from compecon.tasks.readers import hub_tables

COMMANDS = {
    "evaluate": lambda checkpoint, _out: ("evaluate", checkpoint),
    "statistics": lambda checkpoint, _out: ("statistics", checkpoint),
    "prune": lambda checkpoint, out: ("prune", checkpoint, "--target", "0.5", "--out", out),
    "train": lambda checkpoint, out: ("train", "--base", checkpoint, "--steps", "1", "--out", out),
    "frontier": lambda checkpoint, out: ("experiment", "frontier", "--base", checkpoint, "--out", out),
    "budgets": lambda checkpoint, out: ("experiment", "budgets", "--base", checkpoint, "--out", out),
}
MORE = [(), ("--dry-run",), ("--background",)]


@pytest.mark.parametrize("more", MORE, ids=str)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_checkpoint_that_is_not_there_is_told_before_the_data_is_read(compecon, command, more, tmp_path, monkeypatch):
    monkeypatch.setattr(hub_tables, "load_tables", lambda *_, **__: pytest.fail("the data was read"))
    arguments = COMMANDS[command]("sentimnt", tmp_path / "new")
    if "--background" in more:
        arguments = arguments[: arguments.index("--out")] if "--out" in arguments else arguments
    if command in ("frontier", "budgets") and more:
        pytest.skip("an experiment has no such option")
    code, out, err = compecon(*arguments, "--task", "sst2", *more)
    assert (code, out) == (1, "")
    assert "sentiment?" in err
    assert not (tmp_path / "new").exists()

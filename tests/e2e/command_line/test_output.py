"""The forms of what is printed."""

import json

import pytest

from harness.command_line import Cli
from harness.sdk import unique
from harness.waiting import wait_for_sync

ROWS = 7


@pytest.fixture(scope="module")
def listed(ours: Cli) -> str:
    """A query that finds a few runs."""
    kind = unique("kind")
    for number in range(ROWS):
        words = ["--type", kind, "-t", "nobody", "-w", f"{kind}-{number}"]
        ours.text("workflow", "start", *words)
    query = f"WorkflowType = '{kind}'"
    count = ["workflow", "count", "-q", query]
    wait_for_sync(lambda: ours.json(*count).get("count") == str(ROWS), "the runs")
    yield query
    words = ["workflow", "terminate", "-q", query, "--yes", "--reason", "the end"]
    ours.text(*words)


def rows(ours: Cli, listed: str, *words: str) -> str:
    return ours.text("workflow", "list", "-q", listed, "--page-size", "3", *words)


def test_all_pages_are_printed_in_every_form(ours: Cli, listed: str):
    ids = {row["execution"]["workflowId"] for row in json.loads(rows(ours, listed, "-o", "json"))}
    assert len(ids) == ROWS
    lines = [json.loads(line) for line in rows(ours, listed, "-o", "jsonl").splitlines()]
    assert {row["execution"]["workflowId"] for row in lines} == ids
    for form in ("text", "table", "yaml"):
        text = rows(ours, listed, "-o", form)
        assert all(name in text for name in ids), text
    assert rows(ours, listed, "-o", "none") == ""


def test_a_table_has_one_heading(ours: Cli, listed: str):
    text = rows(ours, listed)
    assert text.count("WorkflowId") == 1
    assert len(text.splitlines()) == ROWS + 1
    framed = rows(ours, listed, "-o", "table").splitlines()
    assert framed[0].startswith("┌") and framed[-1].endswith("┘")
    assert len({len(line) for line in framed}) == 1


def test_a_reader_that_leaves_is_no_failure(ours: Cli, listed: str):
    for words in (["completion", "bash"], ["workflow", "list", "-q", listed]):
        assert ours.run_for_nobody(*words) == (0, "")


def test_a_cause_is_told_once(ours: Cli):
    words = ["workflow", "start", "--type", "x", "-t", "q", "--input-file", "/none"]
    assert ours.fails(*words) == "error: `/none`: No such file or directory (os error 2)\n"


def test_a_limit_cuts_a_list(ours: Cli, listed: str):
    assert len(json.loads(rows(ours, listed, "--limit", "4", "-o", "json"))) == 4


def test_times_are_relative_or_not(ours: Cli, listed: str):
    relative = rows(ours, listed)
    assert "ago" in relative or "now" in relative
    assert "ago" not in rows(ours, listed, "--time-format", "iso")


def test_colours_are_for_terminals(ours: Cli, listed: str):
    assert "\x1b[" not in rows(ours, listed)
    assert "\x1b[" in rows(ours, listed, "--color", "always")
    assert "\x1b[" not in rows(ours, listed, "--color", "always", "-o", "json")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_what_completes(ours: Cli, shell: str):
    assert "signal-with-start" in ours.text("completion", shell)

"""Both command lines ask a server for the same, and print the same of what it answers: a line of
every command that the reference has."""

import base64
import json
import shlex

import pytest
from lines_of_all_commands import ANSWERS, LINES, REFUSED
from test_tree import tree

from harness.command_line import REFERENCE, Cli
from harness.recorder import Recorder, without_ids

NOT_COMPARED = {
    # They ask no server, or not one of this kind; other tests compare what they do.
    "completion",
    "config",
    "env",
    "options",
    "server",
    "operator cluster health",
    "workflow fix-history-json",
    # Drawn on terminals.
    "workflow trace",
}

ASKED_BEFORE = {"GetSystemInfo", "DescribeNamespace"}
"""What one of the two asks before some commands, to know the server."""


@pytest.fixture(scope="module")
def recorder():
    with Recorder(ANSWERS) as running:
        yield running


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def words(line: str) -> list[str]:
    return shlex.split(line)


ASK_WHAT_IS_ASKED_BEFORE = {"operator cluster system", "operator namespace describe -n n"}

OURS_ONLY = {"requestId", "identity", "kind", "conflictToken"}
"""Fields that ours fills in some requests in which the reference leaves them out: who asks, and
what makes a request harmless when it comes twice or too late."""

THEIRS_ONLY = {"version", "behavior", "deployment", "pinnedVersion", "historyEventFilterType"}
"""Fields that the reference fills for servers of old, or with what holds anyhow."""

NOTHING = ("0s", {})
"""Values that say no more than a field that is not there."""

UNLIKE = {"executionDuration", "durationMillis"}
"""What two answers differ in that were given one after the other."""


def differences(ours: object, theirs: object, place: str = "") -> list[str]:
    """Where two requests do not mean the same."""
    match ours, theirs:
        case dict(), dict():
            found = []
            for key in ours.keys() | theirs.keys():
                here = f"{place}.{key}"
                if key not in theirs:
                    if key not in OURS_ONLY and ours[key] not in NOTHING:
                        found.append(f"{here}: only ours: {ours[key]}")
                elif key not in ours:
                    if key not in THEIRS_ONLY and theirs[key] not in NOTHING:
                        found.append(f"{here}: only theirs: {theirs[key]}")
                elif key == "data" and isinstance(ours[key], str):
                    found += differences(*map(content, (ours[key], theirs[key])), here)
                else:
                    found += differences(ours[key], theirs[key], here)
            return found
        case list(), list() if len(ours) == len(theirs):
            return [
                found
                for pair in zip(ours, theirs, strict=True)
                for found in differences(*pair, place)
            ]
        case _:
            return [] if ours == theirs else [f"{place}: {ours} and {theirs}"]


def content(data: str) -> object:
    """What a payload holds: names in JSON have no order."""
    try:
        return json.loads(base64.b64decode(data))
    except ValueError:
        return data


def stable(answer: object) -> object:
    match answer:
        case dict():
            return {key: stable(value) for key, value in answer.items() if key not in UNLIKE}
        case list():
            return [stable(value) for value in answer]
        case _:
            return without_ids(answer)


def done_by(cli: Cli, recorder: Recorder, line: str) -> tuple[int, list, object, str]:
    recorder.taken()
    done = cli.run(*words(line), "--address", recorder.address, "--identity", "me", "-o", "json")
    requests = [(name, asked) for name, asked in recorder.taken() if name not in ASKED_BEFORE]
    printed = stable(json.loads(done.stdout or "null"))
    return done.returncode, requests, printed, done.stderr


@pytest.mark.parametrize("line", lines(LINES))
def test_a_command_asks_and_prints_the_same(ours: Cli, theirs: Cli, recorder: Recorder, line: str):
    answers = [done_by(cli, recorder, line) for cli in (ours, theirs)]
    for code, requests, _, errors in answers:
        assert code == 0 and (requests or line in ASK_WHAT_IS_ASKED_BEFORE), errors
    (_, our_requests, our_answer, _), (_, their_requests, their_answer, _) = answers
    assert [name for name, _ in our_requests] == [name for name, _ in their_requests]
    for (name, asked), (_, their_asked) in zip(our_requests, their_requests, strict=True):
        assert differences(asked, their_asked, name) == []
    assert our_answer == their_answer


@pytest.mark.parametrize("line", lines(REFUSED))
def test_a_line_that_makes_no_sense_is_refused_in_the_same_words(
    ours: Cli, theirs: Cli, recorder: Recorder, line: str
):
    answers = [done_by(cli, recorder, line) for cli in (ours, theirs)]
    (our_code, our_requests, _, our_error), (code, requests, _, their_error) = answers
    assert our_code == 2 and code == 1 and not requests and not our_requests
    _, _, said = their_error.rpartition("Error: ")
    assert said.strip().lower() in our_error.lower()


# Hundreds of programs are started.
@pytest.mark.timeout(300)
def test_every_command_is_compared():
    heading = "Available Commands"
    commands = tree(str(REFERENCE), heading, NOT_COMPARED | {"completion"})
    assert len(commands) > 100
    groups = {command[:-1] for command in commands if command}
    compared = [tuple(words(line)) for line in lines(LINES)]
    missing = [
        " ".join(command)
        for command in commands
        if command not in groups
        and " ".join(command) not in NOT_COMPARED
        and not any(line[: len(command)] == command for line in compared)
    ]
    assert missing == []

"""Both command lines say the same about the same server."""

import json
from concurrent.futures import ThreadPoolExecutor

from harness.answers import stable
from harness.command_line import Cli
from harness.raw import Raw, complete_workflow, schedule_activity
from harness.sdk import unique
from harness.waiting import wait_for_sync


def start(cli: Cli, queue: str, workflow_id: str, *words: str) -> dict:
    return cli.json("workflow", "start", "--type", "kind", "-t", queue, "-w", workflow_id, *words)


def test_starts_leave_the_same_history(ours: Cli, theirs: Cli, queue: str):
    options = [
        ["-i", '{"a": 1}', "-i", "null", "--memo", 'm="x"', "--static-summary", "s"],
        ["--input", "x", "--input-meta", "encoding=binary/plain", "--run-timeout", "1h30m"],
        ["-i", "aGk=", "--input-base64", "--input-meta", "encoding=binary/plain"],
        ["--search-attribute", 'CustomKeywordField="k"', "--priority-key", "2"],
        ["--start-delay", "1h", "--id-reuse-policy", "RejectDuplicate", "--headers", "h=1"],
    ]
    ours.run(
        "operator",
        "search-attribute",
        "create",
        "--name",
        "CustomKeywordField",
        "--type",
        "Keyword",
    )

    for words in options:
        histories = []
        for cli in (ours, theirs):
            workflow_id = unique("workflow")
            start(cli, queue, workflow_id, *words, "--identity", "me")
            history = cli.json("workflow", "show", "-w", workflow_id)
            histories.append(stable(history, {workflow_id: "<id>"}))
            cli.text("workflow", "terminate", "-w", workflow_id)
        assert histories[0] == histories[1], json.dumps(histories)


def test_a_start_says_what_runs(both, queue: str):
    words = ["workflow", "start", "--type", "kind", "-t", queue, "-w", "<id>"]
    assert both(*words, names=("<id>",))["type"] == "kind"


def test_an_open_run_is_read(same, theirs: Cli, raw: Raw, queue: str, workflow_id: str):
    start(theirs, queue, workflow_id, "-i", '"in"', "--memo", "a=[1]")
    raw.complete(raw.poll(queue), schedule_activity("a", queue))
    same("workflow", "show", "-w", workflow_id)
    same("workflow", "show", "-w", workflow_id, "--reverse")
    same("workflow", "describe", "-w", workflow_id)
    same("workflow", "describe", "-w", workflow_id, "--no-json-shorthand-payloads")
    same("workflow", "describe", "-w", workflow_id, "--reset-points")
    same("task-queue", "describe", "-t", unique("nobody"))
    theirs.text("workflow", "terminate", "-w", workflow_id)


def test_a_closed_run_is_read(same, theirs: Cli, raw: Raw, queue: str, workflow_id: str):
    start(theirs, queue, workflow_id)
    raw.complete(raw.poll(queue), complete_workflow(b'{"out": [1, null]}'))
    assert same("workflow", "result", "-w", workflow_id)["result"] == {"out": [1, None]}
    assert same("workflow", "describe", "-w", workflow_id)["result"] == {"out": [1, None]}
    same("workflow", "show", "-w", workflow_id, "--follow")
    query = f"WorkflowId = '{workflow_id}'"
    wait_for_sync(lambda: theirs.json("workflow", "list", "-q", query), "the list")
    assert len(same("workflow", "list", "-q", query, rows=True)) == 1
    same("workflow", "list", "-q", "WorkflowId = 'nobody'", rows=True)
    same("workflow", "count", "-q", query)
    same("workflow", "count", "-q", f"{query} GROUP BY ExecutionStatus")


def test_a_run_is_executed(ours: Cli, theirs: Cli, raw: Raw, queue: str):
    answers = []
    for cli in (ours, theirs):
        workflow_id = unique("workflow")
        with ThreadPoolExecutor() as pool:
            words = ["workflow", "execute", "--type", "kind", "-t", queue, "-w", workflow_id]
            executing = pool.submit(cli.json, *words, "--detailed", "--identity", "me")
            raw.complete(raw.poll(queue), complete_workflow(b'"out"'))
            answers.append(stable(executing.result(), {workflow_id: "<id>"}))
    assert answers[0] == answers[1], json.dumps(answers)
    assert answers[0]["result"] == "out"


def test_a_failed_run_is_told_by_the_exit_code(
    ours: Cli, theirs: Cli, queue: str, workflow_id: str
):
    start(theirs, queue, workflow_id)
    theirs.text("workflow", "terminate", "-w", workflow_id, "--reason", "why")
    answers = []
    for cli in (ours, theirs):
        done = cli.run("workflow", "result", "-w", workflow_id, "-o", "json")
        assert done.returncode == 1
        assert "workflow failed" in done.stderr
        answers.append(json.loads(done.stdout))
    assert answers[0] == answers[1], json.dumps(answers)


def test_the_server_is_read(same):
    same("operator", "cluster", "health")
    same("operator", "cluster", "system")
    same("operator", "cluster", "describe")
    same("operator", "namespace", "describe", "-n", "default")
    same("operator", "search-attribute", "list")
    same("worker", "count", "-q", "TaskQueue = 'nobody'")


def test_a_schedule_is_made_and_read(same, ours: Cli, theirs: Cli, queue: str):
    words = ["--type", "kind", "-t", queue, "-w", "scheduled", "-i", "1", "--paused"]
    options = [
        ["--cron", "30 12 * * Fri", "--notes", "n", "--overlap-policy", "BufferOne"],
        ["--interval", "90m/5m", "--jitter", "10s", "--time-zone", "Europe/Vienna"],
        ["--calendar", '{"dayOfWeek":"Fri","hour":"17"}', "--remaining-actions", "3"],
        ["--interval", "1h", "--start-time", "2030-01-01T00:00:00Z", "--schedule-memo", "a=1"],
    ]
    for option in options:
        described = []
        for cli in (ours, theirs):
            schedule = unique("schedule")
            cli.text("schedule", "create", "-s", schedule, *words, *option)
            answer = same("schedule", "describe", "-s", schedule)
            described.append(stable(answer, {schedule: "<id>"}))
            times = ["--start-time", "2030-01-01T00:00:00Z", "--end-time", "2030-01-20T00:00:00Z"]
            same("schedule", "list-matching-times", "-s", schedule, *times)
            cli.text("schedule", "delete", "-s", schedule)
        assert described[0] == described[1], json.dumps(described)


def test_a_profile_that_one_writes_the_other_reads(ours: Cli, theirs: Cli, tmp_path):
    for writer, reader in ((ours, theirs), (theirs, ours)):
        path = str(tmp_path / f"{unique('file')}.toml")
        where = ("--config-file", path, "--profile", "p")
        for prop, value in (
            ("address", "example:1"),
            ("namespace", "n"),
            ("tls", "true"),
            ("tls.server_name", "s"),
            ("tls.client_cert_path", "c"),
            ("codec.endpoint", "http://c"),
            ("grpc_meta.some-key", "v"),
        ):
            writer.text("config", "set", "--prop", prop, "--value", value, *where)
        for words in (["get"], ["get", "--prop", "address"], ["get", "--prop", "tls"], ["list"]):
            left = ours.json("config", *words, *where)
            assert left == theirs.json("config", *words, *where), words
        reader.text("config", "delete", "--prop", "address", *where)
        assert "address" not in writer.json("config", "get", *where)
        reader.text("config", "delete-profile", *where)
        assert writer.json("config", "list", *where) == []

"""Lines of `tctl` as guides and scripts have them."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.command_line import Cli
from harness.raw import Raw, complete_workflow
from harness.sdk import unique
from harness.server import Server
from harness.waiting import wait_for_sync


@pytest.fixture(scope="module", params=["by name", "by command"])
def tctl(request, program: str, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The program as it is called by scripts; where the server is, variables of that time say."""
    folder = tmp_path_factory.mktemp("tctl")
    cli = Cli(folder / "tctl", server.address, folder)
    cli.environment["TEMPORAL_CLI_ADDRESS"] = cli.environment.pop("TEMPORAL_ADDRESS")
    if request.param == "by name":
        (folder / "tctl").symlink_to(program)
    else:
        (folder / "tctl").write_text(f'#!/bin/sh\nexec "{program}" tctl "$@"\n')
        (folder / "tctl").chmod(0o755)
    return cli


def test_a_workflow_is_started_signalled_read_and_ended(
    tctl: Cli, ours: Cli, raw: Raw, queue: str, workflow_id: str
):
    tctl.text(
        "workflow", "start", "--taskqueue", queue, "--workflow_type", "kind", "--wid", workflow_id,
        "--execution_timeout", "600", "--input", '"a b" {"c": 1}',
    )  # fmt: skip
    tctl.text("wf", "signal", "-w", workflow_id, "--name", "s", "--input", "7")
    shown = tctl.text("workflow", "showid", workflow_id)
    assert "WorkflowExecutionSignaled" in shown
    assert "WorkflowExecutionSignaled" in tctl.text("workflow", "show", "--wid", workflow_id)
    assert "Running" in tctl.text("wf", "desc", "-w", workflow_id)
    events = ours.json("workflow", "show", "-w", workflow_id)["events"]
    started = events[0]["workflowExecutionStartedEventAttributes"]
    assert len(started["input"]["payloads"]) == 2
    assert started["workflowExecutionTimeout"] == "600s"
    raw.poll(queue)
    tctl.text("workflow", "terminate", "-w", workflow_id, "--reason", "why")
    assert "Terminated" in tctl.text("wf", "desc", "-w", workflow_id)
    rejected = tctl.fails("wf", "query", "-w", workflow_id, "--qt", "q", "--qrc", "not_open")
    assert "query was rejected" in rejected


def test_a_workflow_is_run_and_its_history_written(tctl: Cli, raw: Raw, queue: str, tmp_path):
    workflow_id = unique("workflow")
    with ThreadPoolExecutor() as pool:
        running = pool.submit(
            tctl.text, "workflow", "run", "--tq", queue, "--wt", "kind", "--wid", workflow_id
        )
        raw.complete(raw.poll(queue), complete_workflow(b'"out"'))
        assert "out" in running.result()
    path = tmp_path / "history.json"
    tctl.text("wf", "showid", workflow_id, "--of", str(path))
    assert len(json.loads(path.read_text())["events"]) == 5
    query = ["--query", f"WorkflowId = '{workflow_id}'"]
    wait_for_sync(lambda: workflow_id in tctl.text("wf", "list", *query), "the list")


def test_a_namespace_is_registered(tctl: Cli, ours: Cli):
    name = unique("namespace")
    tctl.text("n", "re", "--retention", "1", "--desc", "what for", name)
    described = ours.json("operator", "namespace", "describe", "-n", name)
    assert described["config"]["workflowExecutionRetentionTtl"] == "86400s"
    assert described["namespaceInfo"]["description"] == "what for"
    assert name in tctl.text("namespace", "list")
    assert name in tctl.text("--ns", name, "namespace", "describe")
    assert name in tctl.text("n", "desc", name)


def test_a_header_of_authorization_goes_with_every_call(tctl: Cli):
    assert "SERVING" in tctl.text("--auth", "Bearer x", "cluster", "health")
    assert tctl.run("cluster", "health", TEMPORAL_CLI_AUTH="no\nheader").returncode != 0


def test_what_cannot_be_done_is_said(tctl: Cli):
    done = tctl.run("namespace", "list", TEMPORAL_CLI_PLUGIN_DATA_CONVERTER="plugin")
    assert done.returncode == 2 and "--codec_endpoint" in done.stderr
    assert tctl.run("admin", "shard", "describe").returncode == 2
    assert tctl.run("cluster", "health", TEMPORAL_CLI_ADDRESS="127.0.0.1:1").returncode == 8

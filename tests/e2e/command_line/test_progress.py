"""How far long work is: shown on terminals, and nowhere else."""

import errno
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import time
from concurrent import futures

import grpc
import pytest
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryResponse,
)
from temporalio.api.workflowservice.v1 import service_pb2_grpc as service

from harness.command_line import Cli
from harness.recorder import Recorder
from harness.sdk import unique
from harness.waiting import wait_for_sync

CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
EVENTS, PAGES = 2000, 4


class Slow(service.WorkflowServiceServicer):
    """Has one long history, and takes its time for each page of it."""

    def DescribeWorkflowExecution(self, request, context):
        answer = DescribeWorkflowExecutionResponse()
        answer.workflow_execution_info.history_length = EVENTS
        return answer

    def GetWorkflowExecutionHistory(self, request, context):
        page = int(request.next_page_token or b"0")
        time.sleep(0.3)  # longer than what is worth a line, in all
        answer = GetWorkflowExecutionHistoryResponse()
        size = EVENTS // PAGES
        events = [HistoryEvent(event_id=page * size + row + 1, event_type=1) for row in range(size)]
        answer.history.events.extend(events)
        if page < PAGES - 1:
            answer.next_page_token = str(page + 1).encode()
        return answer


@pytest.fixture
def slow():
    server = grpc.server(futures.ThreadPoolExecutor(4))
    service.add_WorkflowServiceServicer_to_server(Slow(), server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield address
    server.stop(None)


def in_terminal(cli: Cli, *words: str) -> tuple[int, str, str]:
    """What a terminal of 100 columns was sent by a command, and what it shows in the end."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    environment = {**cli.environment, "TERM": "xterm"}
    line = [cli.program, *words]
    process = subprocess.Popen(line, env=environment, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    said = b""
    while True:
        try:
            read = os.read(master, 65536)
        except OSError as error:
            assert error.errno == errno.EIO
            break
        if not read:
            break
        said += read
    os.close(master)
    text = said.decode().replace("\r\n", "\n")
    # A line that is written again begins with a return, and one that goes is wiped.
    stays = [re.split(r"\r|\x1b\[2K", line)[-1] for line in text.split("\n")]
    return process.wait(timeout=20), text, CODES.sub("", "\n".join(stays))


def test_a_long_history_is_counted_while_it_is_read(ours: Cli, slow: str, tmp_path):
    target = tmp_path / "history.json"
    words = ["history", "export", "-w", "w", "--address", slow, "--target", str(target)]
    code, said, stays = in_terminal(ours, *words)
    assert code == 0 and "reading the history" in said and "1,000/2,000" in said
    assert stays.strip() == f"2000 events in {target}"
    assert len(json.loads(target.read_text())["events"]) == EVENTS
    for words_too in (["--target", str(target)], ["-o", "json"]):
        done = ours.run(*words[:-2], *words_too)
        assert done.returncode == 0 and "reading" not in done.stdout + done.stderr
        assert done.stderr == ""
    # Beside data nothing is shown, on terminals neither.
    for form in ("json", "jsonl", "yaml"):
        code, said, _ = in_terminal(
            ours, "workflow", "show", "-w", "w", "--address", slow, "-o", form
        )
        assert code == 0 and "reading" not in said and "2,000" not in said


def test_a_batch_operation_is_waited_for(ours: Cli, queue: str):
    kind, count = unique("kind"), 40
    for _ in range(count):
        ours.text("workflow", "start", "--type", kind, "-t", queue, "-w", unique("w"))
    query = f"WorkflowType = '{kind}'"
    counted = ["workflow", "count", "-q", query]
    wait_for_sync(lambda: ours.json(*counted)["count"] == str(count), "the runs")
    signal = ["workflow", "signal", "--name", "s", "-q", query, "--yes", "--wait", "--rps", "20"]
    code, said, stays = in_terminal(ours, *signal)
    assert code == 0, said
    assert re.search(r"the batch operation .*/40", CODES.sub("", said)), said
    assert "CompletedCount  40/40" in stays and "the batch operation" not in stays
    ended = ours.run("workflow", "terminate", "-q", query, "--yes", "--wait", "-o", "json")
    assert ended.returncode == 0 and ended.stderr == ""
    answer = json.loads(ended.stdout)
    assert answer["completeOperationCount"] == str(count)
    again = ours.json("batch", "describe", "--job-id", answer["jobId"], "--wait")
    assert again["state"] == "BATCH_OPERATION_STATE_COMPLETED"
    alone = ours.run("workflow", "signal", "--name", "s", "-w", "w", "--wait")
    assert alone.returncode == 2 and "'wait'" in alone.stderr


def test_a_batch_operation_that_does_not_do_all_is_told_by_the_exit_code(ours: Cli):
    looked = []

    def batch(request: dict) -> dict:
        looked.append(request["jobId"])
        state = "RUNNING" if len(looked) == 1 else "COMPLETED"
        answer = {"jobId": "j", "state": f"BATCH_OPERATION_STATE_{state}"}
        return answer | {"totalOperationCount": "3", "failureOperationCount": str(len(looked) - 1)}

    with Recorder({"DescribeBatchOperation": batch}) as recorder:
        words = ["batch", "describe", "--job-id", "j", "--wait", "--address", recorder.address]
        done = ours.run(*words)
    assert looked == ["j", "j"] and "FailureCount    1/3" in done.stdout
    assert done.returncode == 1 and "1 of 3 operations failed" in done.stderr

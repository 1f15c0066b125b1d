"""Lists of any length: page by page, and nothing twice in memory."""

import json
import subprocess
import threading
from concurrent import futures

import grpc
import pytest
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsResponse
from temporalio.api.workflowservice.v1 import service_pb2_grpc as service

from harness.command_line import Cli

PAGES = 10
ROWS = 1000


class Pages(service.WorkflowServiceServicer):
    """Has ten thousand workflows, and gives the last page only when it may."""

    def __init__(self) -> None:
        self.last_page_may_come = threading.Event()
        self.asked = []

    def ListWorkflowExecutions(self, request, context):
        page = int(request.next_page_token or b"0")
        self.asked.append(page)
        if page == PAGES - 1:
            assert self.last_page_may_come.wait(20)
        answer = ListWorkflowExecutionsResponse()
        for row in range(page * ROWS, (page + 1) * ROWS):
            answer.executions.add().execution.workflow_id = f"workflow-{row}"
        if page < PAGES - 1:
            answer.next_page_token = str(page + 1).encode()
        return answer


@pytest.fixture
def pages():
    server = grpc.server(futures.ThreadPoolExecutor(4))
    known = Pages()
    service.add_WorkflowServiceServicer_to_server(known, server)
    known.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield known
    server.stop(None)


@pytest.mark.parametrize("form", ["text", "jsonl", "json"])
def test_first_rows_are_printed_before_the_last_page_is_there(ours: Cli, pages: Pages, form: str):
    line = [ours.program, "workflow", "list", "--address", pages.address, "-o", form]
    with subprocess.Popen(line, env=ours.environment, stdout=subprocess.PIPE, text=True) as program:
        first = [program.stdout.readline() for _ in range(3)]
        assert "workflow-0" in "".join(first) + program.stdout.readline()
        pages.last_page_may_come.set()
        rest = program.stdout.read()
        assert program.wait(timeout=20) == 0
    assert f"workflow-{PAGES * ROWS - 1}" in rest
    assert pages.asked == list(range(PAGES))
    if form == "jsonl":
        assert len(rest.splitlines()) == PAGES * ROWS - 4
        assert all(json.loads(row) for row in rest.splitlines())

"""The raw client of the shared server, and the scene that refused calls refer to."""

from collections.abc import Iterator

import pytest
from temporalio.api.common.v1 import WorkflowExecution

from cases import Scene
from harness.raw import Raw, schedule_activity
from harness.sdk import unique
from harness.server import Server


@pytest.fixture(scope="session")
def raw(server: Server) -> Iterator[Raw]:
    """A client without an SDK."""
    client = Raw(server.address)
    yield client
    client.channel.close()


@pytest.fixture(scope="module")
def scene(raw: Raw) -> Scene:
    queue, busy_queue = unique("queue"), unique("queue")
    closed = raw.start(queue)
    raw.terminate(closed)
    busy = raw.start(busy_queue)
    task = raw.poll(busy_queue)
    raw.complete(task, schedule_activity("pending", busy_queue, start_to_close_timeout=600))
    return Scene(
        queue=queue,
        open=raw.start(queue),
        closed=closed,
        busy=busy,
        stale_workflow_task=task.task_token,
        activity_task=raw.poll_activity(busy_queue).task_token,
        nobody=WorkflowExecution(workflow_id=unique("nobody")),
    )

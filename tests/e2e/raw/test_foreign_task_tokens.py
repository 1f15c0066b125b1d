"""Task tokens in the form of the reference, of a run that is not there."""

import uuid

import pytest

from harness.raw import Raw


def text(number: int, value: str) -> bytes:
    """A short string as a field of a message."""
    return bytes([number << 3 | 2, len(value)]) + value.encode()


@pytest.mark.parametrize(
    "method",
    [
        "RespondActivityTaskCompleted",
        "RespondActivityTaskFailed",
        "RespondActivityTaskCanceled",
        "RecordActivityTaskHeartbeat",
        "RespondWorkflowTaskCompleted",
        "RespondWorkflowTaskFailed",
    ],
)
def test_their_run_is_not_found(raw: Raw, method: str):
    namespace = raw.call("DescribeNamespace", namespace="default").namespace_info.id
    run_id = str(uuid.uuid4())
    token = text(1, namespace) + text(2, "of another server") + text(3, run_id) + b"\x20\x05"
    refused = raw.refused(method, task_token=token)
    assert refused.code == "NOT_FOUND"
    assert refused.detail == "NotFoundFailure"
    assert refused.text == (
        f'workflow execution not found for workflow ID "of another server" and run ID "{run_id}"'
    )

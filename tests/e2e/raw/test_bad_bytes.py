"""Requests that are no valid message, unknown methods, and messages past the size limit."""

import grpc
import pytest
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest

from cases import Scene
from harness.raw import Raw, payloads, refusal_of, start_fields


def test_invalid_utf_8_is_refused_before_it_reaches_anything(raw: Raw, scene: Scene):
    request = StartWorkflowExecutionRequest(
        namespace="default", **start_fields(scene.queue, "valid-id-here")
    )
    broken = request.SerializeToString().replace(b"valid-id-here", b"\xff\xfe\xfd\xfc-id-here")
    method = "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution"
    call_ = raw.channel.unary_unary(method)
    with pytest.raises(grpc.RpcError) as caught:
        call_(broken, timeout=10)
    assert refusal_of(caught.value).code == "INTERNAL"


@pytest.mark.parametrize("garbage", [b"\xff" * 16, b"\x0a", b"\x0a\xff\xff\xff\xff\x0f"])
def test_a_request_that_is_no_message_is_refused(raw: Raw, garbage: bytes):
    method = "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution"
    with pytest.raises(grpc.RpcError) as caught:
        raw.channel.unary_unary(method)(garbage, timeout=10)
    assert refusal_of(caught.value).code == "INTERNAL"


@pytest.mark.parametrize(
    "path",
    [
        "/temporal.api.workflowservice.v1.WorkflowService/NoSuchMethod",
        "/temporal.api.operatorservice.v1.OperatorService/NoSuchMethod",
        "/no.such.Service/Method",
    ],
)
def test_an_unknown_method_is_unimplemented(raw: Raw, path: str):
    with pytest.raises(grpc.RpcError) as caught:
        raw.channel.unary_unary(path)(b"", timeout=10)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("megabytes", [4, 5, 9])
def test_an_oversize_message_is_refused_with_the_text_that_stops_retries(
    raw: Raw, scene: Scene, megabytes: int
):
    refused = raw.refused(
        "SignalWorkflowExecution",
        workflow_execution=scene.open,
        signal_name="large",
        input=payloads(b"x" * (megabytes * 1024 * 1024)),
    )
    assert refused.code == "RESOURCE_EXHAUSTED"
    assert refused.text.startswith("grpc: received message larger than max")
    raw.assert_history(scene.open, "Started WorkflowTaskScheduled")

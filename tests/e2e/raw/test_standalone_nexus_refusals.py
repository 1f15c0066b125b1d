"""Every way to refuse a request about a Nexus operation that no workflow waits for."""

import uuid

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.api.errordetails.v1 import NexusOperationExecutionAlreadyStartedFailure
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import request_response_pb2 as operator_messages
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages

from harness.raw import Raw, Refusal, detail_of, refusal_of
from harness.sdk import unique
from harness.server import Server

LONG = "x" * 1001
TOO_LONG = "exceeds length limit. Length=1001 Limit=1000"
RUN = str(uuid.UUID(int=7))


@pytest.fixture(scope="module")
def endpoint(raw: Raw) -> str:
    worker = EndpointTarget.Worker(namespace="default", task_queue="nobody-polls-here")
    spec = EndpointSpec(name=unique("endpoint"), target=EndpointTarget(worker=worker))
    raw.operator.CreateNexusEndpoint(operator_messages.CreateNexusEndpointRequest(spec=spec))
    return spec.name


def start(raw: Raw, endpoint: str, /, **fields: object):
    given = {
        "namespace": "default",
        "operation_id": unique("operation"),
        "request_id": unique("request"),
        "endpoint": endpoint,
        "service": "Service",
        "operation": "operate",
    }
    request = messages.StartNexusOperationExecutionRequest(**(given | fields))
    return raw.workflow.StartNexusOperationExecution(request)


def refused(call, *arguments, **fields: object) -> Refusal:
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **fields)
    return refusal_of(caught.value)


STARTS = {
    "no id": ({"operation_id": ""}, "operation_id is required"),
    "a long id": ({"operation_id": LONG}, f"operation_id {TOO_LONG}"),
    "a long request id": ({"request_id": LONG}, f"request_id {TOO_LONG}"),
    "a long identity": ({"identity": LONG}, f"identity {TOO_LONG}"),
    "no endpoint": ({"endpoint": ""}, "endpoint is required"),
    "no service": ({"service": ""}, "service is required"),
    "a long service": ({"service": LONG}, f"service {TOO_LONG}"),
    "no operation": ({"operation": ""}, "operation is required"),
    "a long operation": ({"operation": LONG}, f"operation {TOO_LONG}"),
    "a negative time-out": (
        {"schedule_to_close_timeout": Duration(seconds=-1)},
        "schedule_to_close_timeout is invalid: negative duration",
    ),
    "a time-out of two minds": (
        {"start_to_close_timeout": Duration(seconds=1, nanos=-1)},
        "start_to_close_timeout is invalid: duration has seconds and nanos with different signs",
    ),
    "a header of the server": (
        {"nexus_header": {"Request-Timeout": "1"}},
        'nexus_header contains a disallowed key: "Request-Timeout"',
    ),
    "a large header": (
        {"nexus_header": {"key": "x" * 8190}},
        "nexus_header exceeds size limit",
    ),
    "a large input": (
        {"input": Payload(data=b"x" * 2_200_000)},
        "input exceeds size limit. Length=2200005 Limit=2097152",
    ),
    "an unknown attribute": (
        {
            "search_attributes": SearchAttributes(
                indexed_fields={"Nope": Payload(metadata={"encoding": b"json/plain"}, data=b'"x"')}
            )
        },
        "Namespace default has no mapping defined for search attribute Nope",
    ),
}


@pytest.mark.parametrize("case", STARTS)
def test_a_start_is_checked(raw: Raw, endpoint: str, case: str):
    fields, text = STARTS[case]
    assert refused(start, raw, endpoint, **fields) == Refusal("INVALID_ARGUMENT", text, None)


def test_an_endpoint_has_to_exist(raw: Raw):
    text = "could not find Nexus endpoint by name: nobody"
    assert refused(start, raw, "nobody") == Refusal("NOT_FOUND", text, "NotFoundFailure")


def test_an_id_in_use_is_told_with_its_run(raw: Raw, endpoint: str):
    known = unique("operation")
    first = start(raw, endpoint, operation_id=known, request_id="first")
    again = start(raw, endpoint, operation_id=known, request_id="first")
    assert (again.run_id, first.started, again.started) == (first.run_id, True, False)
    with pytest.raises(grpc.RpcError) as caught:
        start(raw, endpoint, operation_id=known)
    text = f"nexus operation execution already started: request_id=first, run_id={first.run_id}"
    detail = "NexusOperationExecutionAlreadyStartedFailure"
    assert refusal_of(caught.value) == Refusal("ALREADY_EXISTS", text, detail)
    told = detail_of(caught.value, NexusOperationExecutionAlreadyStartedFailure)
    assert (told.start_request_id, told.run_id) == ("first", first.run_id)


METHODS = ("Describe", "Poll", "RequestCancel", "Terminate", "Delete")


def ask(raw: Raw, method: str, **fields: object):
    name = f"{method}NexusOperationExecution"
    request = getattr(messages, f"{name}Request")(namespace="default", **fields)
    return getattr(raw.workflow, name)(request)


@pytest.mark.parametrize("method", METHODS)
def test_an_operation_has_to_be_named_and_to_exist(raw: Raw, method: str):
    for fields, text in (
        ({}, "operation_id is required"),
        ({"operation_id": LONG}, f"operation_id {TOO_LONG}"),
        ({"operation_id": "nobody", "run_id": "7"}, "run_id is not a valid UUID"),
    ):
        assert refused(ask, raw, method, **fields) == Refusal("INVALID_ARGUMENT", text, None)
    unknown = Refusal("NOT_FOUND", "operation not found for ID: nobody", "NotFoundFailure")
    assert refused(ask, raw, method, operation_id="nobody") == unknown
    assert refused(ask, raw, method, operation_id="nobody", run_id=RUN) == unknown


@pytest.mark.parametrize("method", ["RequestCancel", "Terminate"])
def test_reasons_and_names_have_an_end(raw: Raw, method: str):
    for field in ("request_id", "identity", "reason"):
        fields = {"operation_id": "nobody", field: LONG}
        text = f"{field} {TOO_LONG}"
        assert refused(ask, raw, method, **fields) == Refusal("INVALID_ARGUMENT", text, None)


def test_a_long_poll_names_a_run_and_a_stage(raw: Raw, endpoint: str):
    started = start(raw, endpoint, operation_id=unique("operation"))
    for method, fields, text in (
        (
            "Describe",
            {"long_poll_token": b"7"},
            "run_id is required when long_poll_token is provided",
        ),
        (
            "Describe",
            {"long_poll_token": b"7", "run_id": started.run_id},
            "invalid long poll token",
        ),
        ("Poll", {"wait_stage": 9}, "unsupported wait_stage: 9"),
    ):
        refusal = refused(ask, raw, method, operation_id="nobody", **fields)
        assert refusal == Refusal("INVALID_ARGUMENT", text, None)


def test_what_has_ended_takes_no_more_wishes(raw: Raw, endpoint: str):
    known = {"operation_id": unique("operation")}
    start(raw, endpoint, **known)
    ask(raw, "RequestCancel", **known, request_id="one")
    ask(raw, "RequestCancel", **known, request_id="one")

    def text(method: str, request_id: str) -> str:
        refusal = refused(ask, raw, method, **known, request_id=request_id)
        assert refusal.code == "FAILED_PRECONDITION"
        return refusal.text

    again = "cancellation already requested with request ID one"
    assert text("RequestCancel", "two") == again
    ask(raw, "Terminate", **known, request_id="one")
    ask(raw, "Terminate", **known, request_id="one")
    assert text("Terminate", "two") == "already terminated with request ID one"
    assert text("RequestCancel", "two") == "operation already completed"


def test_filters_know_what_operations_have(raw: Raw):
    def list_by(query: str):
        request = messages.ListNexusOperationExecutionsRequest(namespace="default", query=query)
        return raw.workflow.ListNexusOperationExecutions(request)

    text = "invalid query: invalid search attribute: Nope"
    assert refused(list_by, "Nope = 1") == Refusal("INVALID_ARGUMENT", text, None)

    def count_by(query: str):
        request = messages.CountNexusOperationExecutionsRequest(namespace="default", query=query)
        return raw.workflow.CountNexusOperationExecutions(request)

    text = (
        "invalid query: operation is not supported: 'GROUP BY' clause is not supported for search "
        "attribute Endpoint"
    )
    assert refused(count_by, "GROUP BY Endpoint") == Refusal("INVALID_ARGUMENT", text, None)


def test_a_cluster_is_no_remote_one_of_itself(raw: Raw, server: Server):
    def add(address: str):
        request = operator_messages.AddOrUpdateRemoteClusterRequest(frontend_address=address)
        return raw.operator.AddOrUpdateRemoteCluster(request)

    text = (
        "Unable connect to remote cluster with invalid config: Cannot update current cluster "
        "metadata from rpc calls."
    )
    assert refused(add, server.address) == Refusal("INVALID_ARGUMENT", text, None)
    # The reference tries to reach the other one first.
    refusal = refused(add, "127.0.0.1:1")
    assert refusal.code in ("FAILED_PRECONDITION", "UNAVAILABLE")
    assert refusal.text.startswith("Unable connect to remote cluster 127.0.0.1:1 with error: ")

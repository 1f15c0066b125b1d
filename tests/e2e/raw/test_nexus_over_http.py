"""Nexus requests of callers outside, over HTTP, to workers of the server."""

import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure, NexusHandlerFailureInfo
from temporalio.api.nexus.v1 import (
    CancelOperationResponse,
    EndpointSpec,
    EndpointTarget,
    HandlerError,
    Link,
    Response,
    StartOperationResponse,
)
from temporalio.api.nexus.v1 import Failure as NexusFailure
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest
from temporalio.api.taskqueue.v1 import TaskQueue

from harness.outside import Answer, OpenServer, post
from harness.raw import Raw, payload
from harness.sdk import unique

FAILURES = {"Temporal-Nexus-Failure-Support": "true"}
"""What a caller sends who understands Temporal's failures."""


@pytest.fixture(scope="module")
def server() -> Iterator[OpenServer]:
    with OpenServer() as running:
        yield running


@pytest.fixture(scope="module")
def raw(server: OpenServer) -> Iterator[Raw]:
    client = Raw(server.address)
    yield client
    client.channel.close()


class Calling:
    """A call under way from outside, and the task that it became."""

    def __init__(self, raw: Raw, queue: str, answer: "Future[Answer]") -> None:
        self.raw = raw
        self._answer = answer
        self.task = raw.call(
            "PollNexusTaskQueue", task_queue=TaskQueue(name=queue), identity="raw", timeout=30
        )

    def complete(self, response: Response) -> Answer:
        token = self.task.task_token
        self.raw.call("RespondNexusTaskCompleted", task_token=token, response=response)
        return self._answer.result(30)

    def fail(self, **how: object) -> Answer:
        self.raw.call("RespondNexusTaskFailed", task_token=self.task.task_token, **how)
        return self._answer.result(30)


@pytest.fixture
def call(server: OpenServer, raw: Raw, queue: str):
    with ThreadPoolExecutor() as pool:

        def calling(path: str = "service/operation", body: bytes = b"", **headers: str) -> Calling:
            url = f"{server.http}/namespaces/default/task-queues/{queue}/nexus-services/{path}"
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return Calling(raw, queue, pool.submit(post, url, body, named))

        yield calling


def started(**variant: object) -> Response:
    return Response(start_operation=StartOperationResponse(**variant))


def refused(answer: Answer) -> tuple[int, str, str]:
    body = answer.json
    return answer.status, body["details"]["type"], body["message"]


def test_a_worker_sees_what_the_caller_sends_and_the_caller_what_it_answers(call):
    calling = call(
        "my%20service/o%20p?callback=http%3A%2F%2Fhost%2Fcb",
        b'"hi"',
        Nexus_Request_Id="request",
        Nexus_Callback_Tok="en",
        Nexus_Link='<temporal:///namespaces/a>; type="x"',
        Operation_Timeout="5s",
        X_Mine="1",
        X_Forwarded_For="10.0.0.1",
    )
    request = calling.task.request
    start = request.start_operation
    assert (start.service, start.operation, start.request_id) == ("my service", "o p", "request")
    assert (start.callback, dict(start.callback_header)) == ("http://host/cb", {"tok": "en"})
    assert start.payload == payload(b'"hi"')
    assert list(start.links) == [Link(url="temporal:///namespaces/a", type="x")]
    assert not request.capabilities.temporal_failure_responses
    header = dict(request.header)
    assert header["x-mine"] == "1" and "request-timeout" in header and "operation-timeout" in header
    assert not {"host", "x-forwarded-for", "content-length", "nexus-callback-tok"} & set(header)

    link = Link(url="temporal:///namespaces/b", type="y")
    done = StartOperationResponse.Sync(payload=payload(b"1"), links=[link])
    answer = calling.complete(started(sync_success=done))
    assert (answer.status, answer.body, answer.headers["content-type"]) == (
        200,
        b"1",
        "application/json",
    )
    assert answer.headers["nexus-link"] == '<temporal:///namespaces/b>; type="y"'


def test_an_operation_that_goes_on_has_a_token_and_is_cancelled_by_it(call):
    asynchronous = StartOperationResponse.Async(operation_token="token")
    answer = call().complete(started(async_success=asynchronous))
    assert (answer.status, answer.json) == (201, {"token": "token", "state": "running"})

    calling = call("service/operation/cancel", Nexus_Operation_Token="token")
    cancel = calling.task.request.cancel_operation
    assert (cancel.service, cancel.operation, cancel.operation_token) == (
        "service",
        "operation",
        "token",
    )
    assert "nexus-operation-token" not in calling.task.request.header
    answer = calling.complete(Response(cancel_operation=CancelOperationResponse()))
    assert (answer.status, answer.body) == (202, b"")


def failure() -> Failure:
    info = NexusHandlerFailureInfo(type="NOT_FOUND", retry_behavior=1)
    cause = Failure(message="inner", application_failure_info=ApplicationFailureInfo(type="T"))
    return Failure(message="outer", stack_trace="st", cause=cause, nexus_handler_failure_info=info)


INNER = {
    "message": "inner",
    "metadata": {"type": "temporal.api.failure.v1.Failure"},
    "details": {"applicationFailureInfo": {"type": "T"}},
}


def test_a_handler_s_failure_is_a_status_and_its_cause_to_an_old_caller(call):
    answer = call().fail(failure=failure())
    assert (answer.status, answer.json) == (404, INNER)
    assert answer.headers["nexus-request-retryable"] == "true"
    assert answer.headers["temporal-nexus-failure-source"] == "worker"
    calling = call(**{name.replace("-", "_"): value for name, value in FAILURES.items()})
    assert calling.task.request.capabilities.temporal_failure_responses
    assert "temporal-nexus-failure-support" not in calling.task.request.header
    answer = calling.fail(failure=failure())
    assert (answer.status, answer.json) == (
        404,
        {
            "message": "outer",
            "stackTrace": "st",
            "metadata": {"type": "nexus.HandlerError"},
            "details": {"type": "NOT_FOUND", "retryableOverride": True},
            "cause": INNER,
        },
    )


def test_an_old_worker_s_error_keeps_its_form(call):
    cause = NexusFailure(message="old", metadata={"type": "x"}, details=b'{"a":1}')
    error = HandlerError(error_type="CONFLICT", retry_behavior=2, failure=cause)
    answer = call().fail(error=error)
    expected = {"message": "old", "metadata": {"type": "x"}, "details": {"a": 1}}
    assert (answer.status, answer.json) == (409, expected)
    assert answer.headers["nexus-request-retryable"] == "false"


@pytest.mark.parametrize("supported", [False, True])
def test_an_operation_that_failed_is_a_failed_dependency(call, supported: bool):
    headers = FAILURES if supported else {}
    calling = call(**{name.replace("-", "_"): value for name, value in headers.items()})
    info = ApplicationFailureInfo(type="T")
    failed = Failure(message="inner", application_failure_info=info)
    answer = calling.complete(started(failure=failed))
    wrapper = {
        "message": "operation error",
        "metadata": {"type": "nexus.OperationError", "unwrap-error": "true"},
        "details": {"state": "failed"},
        "cause": INNER,
    }
    assert (answer.status, answer.json) == (424, wrapper if supported else INNER)
    assert answer.headers["nexus-operation-state"] == "failed"


def test_an_endpoint_leads_to_its_workers(server: OpenServer, raw: Raw, queue: str):
    name = unique("endpoint")
    target = EndpointTarget(worker=EndpointTarget.Worker(namespace="default", task_queue=queue))
    spec = EndpointSpec(name=name, target=target)
    made = raw.operator.CreateNexusEndpoint(CreateNexusEndpointRequest(spec=spec)).endpoint
    with ThreadPoolExecutor() as pool:
        url = f"{server.http}/nexus/endpoints/{made.id}/services/service/operation"
        calling = Calling(raw, queue, pool.submit(post, url))
        assert calling.task.request.endpoint == name
        answer = calling.complete(started(sync_success=StartOperationResponse.Sync()))
        assert answer.status == 200


def test_an_endpoint_outside_is_not_called_for_others(server: OpenServer, raw: Raw):
    target = EndpointTarget(external=EndpointTarget.External(url="http://127.0.0.1:1"))
    spec = EndpointSpec(name=unique("endpoint"), target=target)
    made = raw.operator.CreateNexusEndpoint(CreateNexusEndpointRequest(spec=spec)).endpoint
    answer = post(f"{server.http}/nexus/endpoints/{made.id}/services/service/operation")
    assert refused(answer) == (400, "BAD_REQUEST", "invalid endpoint target")


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        (
            "/nexus/endpoints/{uuid}/services/s/o",
            {},
            (404, "NOT_FOUND", "nexus endpoint not found"),
        ),
        (
            "/namespaces/nope/task-queues/q/nexus-services/s/o",
            {},
            (404, "NOT_FOUND", 'namespace not found: "nope"'),
        ),
        (
            "/namespaces/default/task-queues/q/nexus-services/s/o",
            {"Request-Timeout": "soon"},
            (400, "BAD_REQUEST", "invalid request timeout header"),
        ),
        (
            "/namespaces/default/task-queues/nobody/nexus-services/s/o",
            {"Request-Timeout": "2s"},
            (520, "UPSTREAM_TIMEOUT", "upstream timeout"),
        ),
        (
            "/namespaces/default/task-queues/q/nexus-services/s/o/cancel",
            {},
            (400, "BAD_REQUEST", "missing operation token"),
        ),
        (
            "/namespaces/default/task-queues/q/nexus-services/s",
            {},
            (404, "NOT_FOUND", "not found"),
        ),
        ("/nexus/callback", {}, (400, "BAD_REQUEST", 'invalid request operation state: ""')),
        (
            "/nexus/callback",
            {"Nexus-Operation-State": "succeeded", "Temporal-Callback-Token": "x"},
            (400, "BAD_REQUEST", "invalid callback token"),
        ),
        (
            "/namespaces/default/nexus/callback",
            {"Nexus-Operation-State": "failed", "Content-Type": "text/plain"},
            (400, "BAD_REQUEST", 'invalid request content type: "text/plain"'),
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(
    server: OpenServer, path: str, headers: dict[str, str], expected: tuple[int, str, str]
):
    assert refused(post(server.http + path.format(uuid=uuid.uuid4()), b"", headers)) == expected


def test_other_paths_mean_nothing(server: OpenServer):
    for path in ["/", "/nope", "/nexus/callback/", "/nexus/endpoints/x/services"]:
        answer = post(server.http + path)
        assert (answer.status, answer.json) == (404, {"code": 5, "message": "Not Found"}), path

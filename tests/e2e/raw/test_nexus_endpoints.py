"""Nexus endpoints: what the operator service makes of them, and every way to refuse."""

import uuid

import grpc
import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.nexus.v1 import Endpoint, EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import request_response_pb2 as messages

from harness.raw import Raw, Refusal, refusal_of
from harness.sdk import unique

NAME_RULE = 'endpoint name must match the regex: "^[a-zA-Z][a-zA-Z0-9\\\\-]*[a-zA-Z0-9]$"'
NO_QUEUE = 'invalid target task queue: "taskQueue is not set"'


def workers(namespace: str = "default", task_queue: str = "queue") -> EndpointTarget:
    return EndpointTarget(worker=EndpointTarget.Worker(namespace=namespace, task_queue=task_queue))


def outside(url: str) -> EndpointTarget:
    return EndpointTarget(external=EndpointTarget.External(url=url))


def create(raw: Raw, spec: EndpointSpec) -> Endpoint:
    return raw.operator.CreateNexusEndpoint(messages.CreateNexusEndpointRequest(spec=spec)).endpoint


def refused(call, request) -> Refusal:
    with pytest.raises(grpc.RpcError) as caught:
        call(request)
    return refusal_of(caught.value)


@pytest.fixture
def endpoint(raw: Raw):
    """An endpoint that is gone after the test."""
    made = create(
        raw,
        EndpointSpec(
            name=unique("endpoint"), description=Payload(data=b"what for"), target=workers()
        ),
    )
    yield made
    request = messages.GetNexusEndpointRequest(id=made.id)
    version = raw.operator.GetNexusEndpoint(request).endpoint.version
    request = messages.DeleteNexusEndpointRequest(id=made.id, version=version)
    raw.operator.DeleteNexusEndpoint(request)


SPECIFICATIONS = {
    "nothing": (EndpointSpec(), "endpoint name not set, empty target variant"),
    "no target": (EndpointSpec(name="abc"), "empty target variant"),
    "a blank": (EndpointSpec(name="a b", target=workers()), NAME_RULE),
    "an underscore": (EndpointSpec(name="a_b", target=workers()), NAME_RULE),
    "a dash at the end": (EndpointSpec(name="ab-", target=workers()), NAME_RULE),
    "a digit first": (EndpointSpec(name="1ab", target=workers()), NAME_RULE),
    "one letter": (EndpointSpec(name="a", target=workers()), NAME_RULE),
    "a long name": (
        EndpointSpec(name="a" * 201, target=workers()),
        "endpoint name exceeds length limit of 200",
    ),
    "a large description": (
        EndpointSpec(name="abc", description=Payload(data=b"x" * 20_001), target=workers()),
        "description size exceeds limit of 20000",
    ),
    "no namespace": (
        EndpointSpec(name="abc", target=workers(namespace="")),
        "target namespace not set",
    ),
    "much": (
        EndpointSpec(name="a b", target=workers("", "")),
        f"{NAME_RULE}, target namespace not set, {NO_QUEUE}",
    ),
    "no task queue": (EndpointSpec(name="abc", target=workers(task_queue="")), NO_QUEUE),
    "a reserved task queue": (
        EndpointSpec(name="abc", target=workers(task_queue="/_sys/x")),
        'invalid target task queue: "task queue name cannot start with reserved prefix /_sys/"',
    ),
    "a long task queue": (
        EndpointSpec(name="abc", target=workers(task_queue="x" * 1001)),
        'invalid target task queue: "taskQueue length exceeds limit"',
    ),
    "no url": (EndpointSpec(name="abc", target=outside("")), "empty target URL"),
    "no scheme": (
        EndpointSpec(name="abc", target=outside("nope")),
        'invalid target URL scheme: "", expected http or https',
    ),
    "a wrong scheme": (
        EndpointSpec(name="abc", target=outside("ftp://host")),
        'invalid target URL scheme: "ftp", expected http or https',
    ),
    "a long url": (
        EndpointSpec(name="abc", target=outside("http://host/" + "a" * 4096)),
        "target URL length exceeds limit of 4096",
    ),
}


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_a_wrong_specification_is_refused(raw: Raw, endpoint: Endpoint, name: str):
    spec, text = SPECIFICATIONS[name]
    expected = Refusal("INVALID_ARGUMENT", text, None)
    request = messages.CreateNexusEndpointRequest(spec=spec)
    assert refused(raw.operator.CreateNexusEndpoint, request) == expected
    request = messages.UpdateNexusEndpointRequest(id=endpoint.id, version=1, spec=spec)
    assert refused(raw.operator.UpdateNexusEndpoint, request) == expected
    request = messages.GetNexusEndpointRequest(id=endpoint.id)
    assert raw.operator.GetNexusEndpoint(request).endpoint == endpoint


def test_a_target_in_an_unknown_namespace_is_refused(raw: Raw):
    spec = EndpointSpec(name=unique("endpoint"), target=workers(namespace="nowhere"))
    text = "could not verify namespace referenced by target exists: Namespace nowhere is not found."
    request = messages.CreateNexusEndpointRequest(spec=spec)
    expected = Refusal("FAILED_PRECONDITION", text, None)
    assert refused(raw.operator.CreateNexusEndpoint, request) == expected


def test_a_name_is_taken_once(raw: Raw, endpoint: Endpoint):
    text = (
        f"error creating Nexus endpoint. Endpoint with name {endpoint.spec.name} already registered"
    )
    request = messages.CreateNexusEndpointRequest(spec=endpoint.spec)
    expected = Refusal("ALREADY_EXISTS", text, None)
    assert refused(raw.operator.CreateNexusEndpoint, request) == expected


def test_an_endpoint_is_changed_by_its_version(raw: Raw, endpoint: Endpoint):
    spec = EndpointSpec(name=unique("endpoint"), target=outside("https://host/path"))
    stale = messages.UpdateNexusEndpointRequest(id=endpoint.id, version=7, spec=spec)
    text = "nexus endpoint version mismatch. received: 7 expected 1"
    expected = Refusal("FAILED_PRECONDITION", text, None)
    assert refused(raw.operator.UpdateNexusEndpoint, stale) == expected
    request = messages.UpdateNexusEndpointRequest(id=endpoint.id, version=1, spec=spec)
    changed = raw.operator.UpdateNexusEndpoint(request).endpoint
    assert (changed.version, changed.spec) == (2, spec)
    assert changed.last_modified_time.seconds > 0
    assert changed.url_prefix == f"/nexus/endpoints/{endpoint.id}/services"


def test_an_unknown_endpoint_is_not_found(raw: Raw):
    nobody = str(uuid.uuid4())
    spec = EndpointSpec(name="abc", target=workers())
    operator = raw.operator
    for call, request, text in [
        (
            operator.GetNexusEndpoint,
            messages.GetNexusEndpointRequest(id=nobody),
            f"Nexus endpoint with ID `{nobody}` not found",
        ),
        (
            operator.UpdateNexusEndpoint,
            messages.UpdateNexusEndpointRequest(id=nobody, version=1, spec=spec),
            f"error updating Nexus endpoint. endpoint ID {nobody} not found",
        ),
        (
            operator.DeleteNexusEndpoint,
            messages.DeleteNexusEndpointRequest(id=nobody, version=1),
            f"error deleting nexus endpoint with ID: {nobody}",
        ),
    ]:
        assert refused(call, request) == Refusal("NOT_FOUND", text, "NotFoundFailure")


def test_ids_and_versions_are_checked(raw: Raw):
    operator = raw.operator
    for call, request, text in [
        (operator.GetNexusEndpoint, messages.GetNexusEndpointRequest(), "endpoint ID not set"),
        (
            operator.GetNexusEndpoint,
            messages.GetNexusEndpointRequest(id="zz"),
            'malformed endpoint ID: "invalid UUID length: 2"',
        ),
        (
            operator.DeleteNexusEndpoint,
            messages.DeleteNexusEndpointRequest(),
            "endpoint ID not set, endpoint version is non-positive",
        ),
        (
            operator.ListNexusEndpoints,
            messages.ListNexusEndpointsRequest(page_size=-1),
            "page_size is negative",
        ),
        (
            operator.ListNexusEndpoints,
            messages.ListNexusEndpointsRequest(page_size=1001),
            "page_size exceeds limit of 1000",
        ),
    ]:
        assert refused(call, request) == Refusal("INVALID_ARGUMENT", text, None)


def test_the_list_is_paged_in_the_order_of_ids(raw: Raw):
    made = [create(raw, EndpointSpec(name=unique("endpoint"), target=workers())) for _ in range(3)]
    seen: list[Endpoint] = []
    token = b""
    while True:
        page = raw.operator.ListNexusEndpoints(
            messages.ListNexusEndpointsRequest(page_size=2, next_page_token=token)
        )
        seen += page.endpoints
        token = page.next_page_token
        if not token:
            break
    ids = [endpoint.id for endpoint in seen]
    assert ids == sorted(ids) and len(set(ids)) == len(ids)
    assert {endpoint.id for endpoint in made} <= set(ids)
    for endpoint in made:
        request = messages.DeleteNexusEndpointRequest(id=endpoint.id, version=1)
        raw.operator.DeleteNexusEndpoint(request)

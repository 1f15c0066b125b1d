"""Custom search attributes: added, used at once, removed, and what is refused."""

from collections.abc import Iterator

import grpc
import pytest
from temporalio.api.common.v1 import SearchAttributes
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import request_response_pb2 as messages

from harness.raw import Raw, Refusal, payload, refusal_of
from harness.sdk import unique
from harness.server import SEARCH_ATTRIBUTES, Server
from harness.waiting import wait_for_sync

TEXT, KEYWORD, INT, DOUBLE, BOOL, DATETIME, LIST = range(1, 8)
INVALID = "INVALID_ARGUMENT"
NOWHERE = Refusal("NOT_FOUND", "Namespace nowhere is not found.", "NamespaceNotFoundFailure")
CALL_SECONDS = 30


class Operator:
    """The calls about search attributes; each gives the refusal when it is refused."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw

    def add(self, namespace: str = "default", **attributes: int) -> Refusal | None:
        request = messages.AddSearchAttributesRequest(
            namespace=namespace, search_attributes=attributes
        )
        return self._call("AddSearchAttributes", request)

    def remove(self, *names: str, namespace: str = "default") -> Refusal | None:
        request = messages.RemoveSearchAttributesRequest(
            namespace=namespace, search_attributes=names
        )
        return self._call("RemoveSearchAttributes", request)

    def custom(self, namespace: str = "default") -> dict[str, int]:
        request = messages.ListSearchAttributesRequest(namespace=namespace)
        answer = self.raw.operator.ListSearchAttributes(request, timeout=CALL_SECONDS)
        return dict(answer.custom_attributes)

    def _call(self, method: str, request) -> Refusal | None:
        try:
            getattr(self.raw.operator, method)(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            return refusal_of(error)
        return None


@pytest.fixture
def operator() -> Iterator[Operator]:
    """A server of the test's own, because search attributes are few."""
    with Server() as server:
        yield Operator(Raw(server.address))


def start_with(raw: Raw, name: str, value: bytes):
    attributes = SearchAttributes(indexed_fields={name: payload(value)})
    return raw.start(unique("queue"), search_attributes=attributes)


def found(raw: Raw, query: str) -> list[str]:
    executions = raw.call("ListWorkflowExecutions", query=query).executions
    return [run.execution.workflow_id for run in executions]


def test_an_attribute_is_of_use_as_soon_as_it_is_added_and_until_it_is_removed(operator: Operator):
    raw = operator.raw
    unknown = Refusal(INVALID, "invalid query: invalid search attribute: City", None)
    unmapped = Refusal(
        INVALID, "Namespace default has no mapping defined for search attribute City", None
    )
    assert raw.refused("ListWorkflowExecutions", query="City = 'x'") == unknown
    assert operator.add(City=KEYWORD) is None
    run = start_with(raw, "City", b'"Berlin"')
    wait_for_sync(lambda: found(raw, "City = 'Berlin'") == [run.workflow_id], "the run in the list")
    assert operator.remove("City") is None
    assert "City" not in operator.custom()
    assert raw.refused("ListWorkflowExecutions", query="City = 'x'") == unknown
    with pytest.raises(grpc.RpcError) as caught:
        start_with(raw, "City", b'"Berlin"')
    assert refusal_of(caught.value) == unmapped


def test_adding_twice_and_removing_what_is_not_there_change_nothing(operator: Operator):
    types = {
        name: IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{kind.upper()}")
        for name, kind in SEARCH_ATTRIBUTES.items()
    }
    assert operator.custom() == types
    assert operator.add(CustomIntField=INT, Second=INT) is None
    assert operator.custom() == types | {"Second": INT}
    assert operator.remove("Unknown", "Second") is None
    assert operator.custom() == types


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({}, "SearchAttributes are not set on request."),
        ({"WorkflowId": KEYWORD}, "Search attribute WorkflowId is reserved by system."),
        ({"BuildIds": LIST}, "Search attribute BuildIds is reserved by system."),
        ({"TemporalMine": INT}, "Search attribute TemporalMine is reserved by system."),
        ({"NamespaceId": KEYWORD}, "Search attribute NamespaceId is reserved by system."),
        ({"Memo": KEYWORD}, "Search attribute Memo is reserved by system."),
        (
            {"Fine": INT, "TemporalMine": INT},
            "Search attribute TemporalMine is reserved by system.",
        ),
        (
            {"A": INT, "B": INT, "C": INT},
            "Unable to create search attributes: cannot have more than 3 search attribute of type "
            "Int.",
        ),
        (
            {"Untyped": 0},
            "Unable to create search attributes: cannot have more than 0 search attribute of type "
            "Unspecified.",
        ),
        ({"Foreign": 9}, "Unknown search attribute type: 9."),
    ],
)
def test_a_refused_addition_adds_nothing(operator: Operator, attributes: dict, text: str):
    before = operator.custom()
    assert operator.add(**attributes) == Refusal(INVALID, text, None)
    assert operator.custom() == before


def test_attributes_of_the_server_and_of_no_namespace_are_not_removed(operator: Operator):
    text = "Unable to remove non-custom search attributes: WorkflowId."
    assert operator.remove("CustomIntField", "WorkflowId") == Refusal(INVALID, text, None)
    assert "CustomIntField" in operator.custom()
    unset = Refusal(INVALID, "SearchAttributes are not set on request.", None)
    assert operator.remove() == unset
    unnamed = Refusal(INVALID, "Namespace is not set on request.", None)
    assert operator.remove("X", namespace="") == unnamed
    assert operator.add("", X=INT) == unnamed
    assert operator.remove("X", namespace="nowhere") == NOWHERE
    assert operator.add("nowhere", X=INT) == NOWHERE


def test_attributes_belong_to_one_namespace_and_go_with_it(operator: Operator):
    raw, name = operator.raw, unique("namespace")
    raw.call(
        "RegisterNamespace", namespace=name, workflow_execution_retention_period={"seconds": 259200}
    )

    def added() -> bool:
        """The reference needs a while until it knows a new namespace."""
        return operator.add(name, City=KEYWORD) is None

    wait_for_sync(added, "the attribute in the new namespace")
    assert operator.custom(name) == {"City": KEYWORD}
    assert "City" not in operator.custom()
    deleted = raw.operator.DeleteNamespace(
        messages.DeleteNamespaceRequest(namespace=name), timeout=CALL_SECONDS
    )
    assert deleted.deleted_namespace.startswith(f"{name}-deleted-")

    def gone() -> bool:
        try:
            operator.custom(name)
        except grpc.RpcError as error:
            return refusal_of(error).text == f"Namespace {name} is not found."
        return False

    wait_for_sync(gone, "the namespace gone")

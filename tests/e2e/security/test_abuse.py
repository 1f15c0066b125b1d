"""Clients that do not behave, and one that does."""

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
from temporalio.api.enums.v1 import ResourceExhaustedCause, ResourceExhaustedScope
from temporalio.api.errordetails.v1 import ResourceExhaustedFailure
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages

from harness import abuse
from harness.raw import Raw, detail_of
from harness.secured import SecuredServer
from harness.server import free_port
from harness.tokens import SigningKey, publish

JUNK = 5_000

LIMITS = {
    "address_connections": 20,
    "address_connections_per_second": 1000,
    "address_refusals_per_second": 50,
    "handshake_seconds": 1,
    "message_seconds": 1,
}


def settings(folder, **limits) -> dict:
    """A server that knows callers by the tokens of one key."""
    authorization = {
        "authorizer": "default",
        "jwtKeyProvider": {"keySourceURIs": [f"file://{folder}/keys.json"]},
    }
    return {"global": {"authorization": authorization}, "limits": limits}


@pytest.fixture(scope="module")
def key(tmp_path_factory) -> SigningKey:
    return SigningKey(tmp_path_factory.mktemp("keys"), "first")


@pytest.fixture(scope="module")
def server(key: SigningKey, tmp_path_factory) -> Iterator[SecuredServer]:
    folder = tmp_path_factory.mktemp("abused")
    publish(folder / "keys.json", key)
    metrics = {"listen": f"127.0.0.1:{free_port()}"}
    with SecuredServer(folder / "server", settings(folder, **LIMITS) | {"metrics": metrics}) as it:
        it.metrics = metrics["listen"]
        yield it


def value(server: SecuredServer, name: str) -> float:
    """The value of a metric without labels."""
    with urllib.request.urlopen(f"http://{server.metrics}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def bearer(token: str) -> tuple:
    return (("authorization", f"Bearer {token}"),)


@contextmanager
def behaving(server: SecuredServer, key: SigningKey) -> Iterator[list]:
    """A client that goes on calling all the while; its calls, and what came of them."""
    over, outcomes = threading.Event(), []
    raw, who = Raw(server.address), bearer(key.token("default:read"))
    request = messages.CountWorkflowExecutionsRequest(namespace="default")

    def goes_on() -> None:
        describe = messages.DescribeNamespaceRequest(namespace="default")
        while not over.is_set():
            try:
                raw.workflow.DescribeNamespace(describe, timeout=10, metadata=who)
            except grpc.RpcError as error:
                outcomes.append(error.code())
            else:
                outcomes.append(None)

    raw.workflow.CountWorkflowExecutions(request, timeout=10, metadata=who)
    thread = threading.Thread(target=goes_on)
    thread.start()
    try:
        yield outcomes
    finally:
        over.set()
        thread.join()
        raw.channel.close()


def test_junk_is_cut_off_and_nobody_else_is(server: SecuredServer, key: SigningKey):
    before = value(server, "longtide_connections_refused")
    with behaving(server, key) as outcomes:
        told = abuse.junk(server.address, JUNK)
        refused = value(server, "longtide_connections_refused") - before
    assert told.sent >= JUNK > told.answered > 0, told
    assert refused > 0 and told.turned_away > 0, told
    assert len(outcomes) > 10 and set(outcomes) == {None}, set(outcomes)


def test_who_does_not_speak_is_sent_away_and_has_so_many_places(
    server: SecuredServer, key: SigningKey
):
    before = value(server, "longtide_connections_refused")
    with behaving(server, key) as outcomes, abuse.half_open(server.address, 200) as connections:
        assert abuse.until_over(connections, 20) == 0
        refused = value(server, "longtide_connections_refused") - before
    assert refused >= 150, refused
    assert set(outcomes) == {None}, set(outcomes)


def test_a_message_that_never_comes_is_not_waited_for(server: SecuredServer, key: SigningKey):
    with behaving(server, key) as outcomes, abuse.unfinished(server.address, 15) as connections:
        assert len(connections) == 15
        assert abuse.until_over(connections, 20, answered=True) == 0
    assert set(outcomes) == {None}, set(outcomes)


def test_a_hasty_caller_is_held_back_and_the_others_are_not(key: SigningKey, tmp_path):
    publish(tmp_path / "keys.json", key)
    limits = settings(tmp_path, principal_requests_per_second=1)
    with SecuredServer(tmp_path / "server", limits) as server:
        raw = Raw(server.address)
        request = messages.DescribeNamespaceRequest(namespace="default")

        def ask(who: str) -> None:
            metadata = bearer(key.token("default:read", sub=who))
            raw.workflow.DescribeNamespace(request, timeout=10, metadata=metadata)

        with pytest.raises(grpc.RpcError) as caught:
            for _ in range(20):
                ask("hasty")
        ask("patient")
        raw.channel.close()
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert caught.value.details() == "principal rate limit exceeded"
    failure = detail_of(caught.value, ResourceExhaustedFailure)
    assert failure.cause == ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_RPS_LIMIT
    assert failure.scope == ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_SYSTEM


def test_a_namespace_has_limits_of_its_own(key: SigningKey, tmp_path):
    publish(tmp_path / "keys.json", key)
    own = {"namespace_limits": {"other": {"visibility_per_second": 1}}}
    with SecuredServer(tmp_path / "server", settings(tmp_path) | own) as server:
        raw, who = Raw(server.address), bearer(key.token("temporal-system:read"))

        def count(namespace: str) -> None:
            request = messages.CountWorkflowExecutionsRequest(namespace=namespace)
            raw.workflow.CountWorkflowExecutions(request, timeout=10, metadata=who)

        with pytest.raises(grpc.RpcError) as caught:
            for _ in range(10):
                count("other")
        for _ in range(10):
            count("default")
        raw.channel.close()
    assert caught.value.details() == "namespace rate limit exceeded"
    failure = detail_of(caught.value, ResourceExhaustedFailure)
    assert failure.scope == ResourceExhaustedScope.RESOURCE_EXHAUSTED_SCOPE_NAMESPACE

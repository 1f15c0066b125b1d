"""Roles of the configuration, a webhook, and what tells why."""

import json
import os
import subprocess
import time

import grpc
import pytest
from temporalio.api.operatorservice.v1 import request_response_pb2 as operator
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from flows import Greets
from harness.outside import Answer, Outside, json_answer
from harness.raw import Raw
from harness.sdk import unique
from harness.secured import SecuredServer
from harness.server import executable
from harness.tokens import SigningKey, publish


@pytest.fixture(scope="module")
def key(tmp_path_factory) -> SigningKey:
    return SigningKey(tmp_path_factory.mktemp("keys"), "first")


def settings(folder, key: SigningKey, authorizer: str = "default", **more) -> dict:
    publish(folder / "keys.json", key)
    provider = {"keySourceURIs": [f"file://{folder}/keys.json"]}
    return {
        "global": {"authorization": {"authorizer": authorizer, "jwtKeyProvider": provider} | more}
    }


def code_of(call) -> grpc.StatusCode | None:
    try:
        call()
    except grpc.RpcError as error:
        return error.code()
    return None


DENIED = grpc.StatusCode.PERMISSION_DENIED


def test_roles_of_the_configuration_and_of_accounts(key: SigningKey, tmp_path):
    roles = {"starter": {"includes": "read", "methods": ["StartWorkflowExecution"]}}
    with SecuredServer(tmp_path / "server", settings(tmp_path, key, roles=roles)) as server:
        raw = Raw(server.address)

        def metadata(*permissions: str) -> tuple:
            return (("authorization", f"Bearer {key.token(*permissions)}"),)

        def start(namespace: str, *permissions: str):
            request = messages.StartWorkflowExecutionRequest(
                namespace=namespace,
                workflow_id=unique("w"),
                workflow_type={"name": "Order"},
                task_queue={"name": "queue"},
                request_id=unique("r"),
            )
            who = metadata(*permissions)
            return code_of(
                lambda: raw.workflow.StartWorkflowExecution(request, timeout=10, metadata=who)
            )

        def terminate(*permissions: str):
            request = messages.TerminateWorkflowExecutionRequest(
                namespace="default", workflow_execution={"workflow_id": "nobody"}
            )
            who = metadata(*permissions)
            return code_of(
                lambda: raw.workflow.TerminateWorkflowExecution(request, timeout=10, metadata=who)
            )

        assert start("default", "default:starter") is None
        assert start("other", "default:starter") == DENIED
        assert terminate("default:starter") == DENIED
        assert start("default", "default:nothing-of-the-kind") == DENIED

        def list_endpoints(*permissions: str):
            request, who = operator.ListNexusEndpointsRequest(), metadata(*permissions)
            return code_of(
                lambda: raw.operator.ListNexusEndpoints(request, timeout=10, metadata=who)
            )

        def register(*permissions: str):
            request = messages.RegisterNamespaceRequest(namespace=unique("namespace"))
            request.workflow_execution_retention_period.FromSeconds(86_400)
            who = metadata(*permissions)
            return code_of(
                lambda: raw.workflow.RegisterNamespace(request, timeout=10, metadata=who)
            )

        for role, outcome in (("developer", None), ("read-only", DENIED)):
            permission = f"temporal-system:{role}"
            assert (list_endpoints(permission), register(permission)) == (None, outcome), role
            assert start("default", permission) == DENIED
        raw.channel.close()


async def client_of(server: SecuredServer, token: str) -> Client:
    return await Client.connect(server.address, api_key=token, tls=False)


async def starts(client: Client, workflow=Greets.run) -> bool:
    try:
        await client.start_workflow(workflow, "you", id=unique("w"), task_queue="queue")
    except RPCError as error:
        assert error.status == RPCStatusCode.PERMISSION_DENIED, error
        assert error.message == "Request unauthorized.", error.message
        return False
    return True


async def test_a_webhook_forbids_what_roles_allow(key: SigningKey, tmp_path):
    said = {"allow": True}
    with Outside(lambda _: json_answer(200, {"result": said})) as outside:
        webhook = {"url": f"{outside.url}/v1/data/longtide", "cacheTtl": "0s", "timeout": "500ms"}
        with SecuredServer(tmp_path / "server", settings(tmp_path, key, webhook=webhook)) as server:
            writer = await client_of(server, key.token("default:write"))
            reader = await client_of(server, key.token("default:read"))
            assert await starts(writer)
            asked = [json.loads(request.body)["input"] for request in outside.requests]
            start = next(it for it in asked if it["method"] == "StartWorkflowExecution")
            assert start["principal"]["name"] == "tester"
            assert start["principal"]["roles"] == {"default": ["write"]}
            assert start["namespace"] == "default"
            assert start["resource"]["workflowType"] == "Greets"
            assert start["resource"]["taskQueue"] == "queue"
            # Whom no role allows it is not asked about.
            before = len(outside.requests)
            assert not await starts(reader)
            assert len(outside.requests) == before
            said["allow"] = False
            assert not await starts(writer)
            said["allow"] = True
            assert await starts(writer)
            # No clear answer, no answer in time, no answer at all: no.
            outside.answer = lambda _: json_answer(200, {"result": "yes"})
            assert not await starts(writer)
            outside.answer = lambda _: (time.sleep(2), Answer())[1]
            assert not await starts(writer)
            outside.__exit__()
            assert not await starts(writer)


async def test_a_webhook_can_decide_alone_and_its_answers_hold_for_a_while(
    key: SigningKey, tmp_path
):
    def decide(request):
        asked = json.loads(request.body)["input"]
        return json_answer(200, {"allow": asked["principal"]["name"] == "friend"})

    with Outside(decide) as outside:
        webhook = {"url": outside.url, "cacheTtl": "10m"}
        more = settings(tmp_path, key, authorizer="webhook", webhook=webhook)
        with SecuredServer(tmp_path / "server", more) as server:
            raw = Raw(server.address)
            request = messages.DescribeNamespaceRequest(namespace="default")

            def describe(token: str | None):
                metadata = (("authorization", f"Bearer {token}"),) if token else ()
                return code_of(
                    lambda: raw.workflow.DescribeNamespace(request, timeout=10, metadata=metadata)
                )

            assert [describe(key.token(sub="friend")) for _ in range(3)] == [None] * 3
            assert len(outside.requests) == 1
            assert describe(key.token(sub="stranger")) == DENIED
            # Who has no credentials is not asked about.
            asked = len(outside.requests)
            assert describe(None) == DENIED and len(outside.requests) == asked
            raw.channel.close()


def explain(file, *words: str) -> str:
    done = subprocess.run(
        [executable(), "auth", "explain", "--config", str(file), *words],
        capture_output=True,
        text=True,
        timeout=30,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_explain_says_who_may_and_why(key: SigningKey, tmp_path):
    roles = {"starter": {"methods": ["Start*"]}}
    server = SecuredServer(tmp_path / "server", settings(tmp_path, key, roles=roles))
    server._write()
    start = ("--rpc", "StartWorkflowExecution", "--namespace", "orders")

    def of(*words: str) -> str:
        return explain(server.configuration, *start, *words)

    alice = ("--principal", "jwt:alice", "--permission")
    assert "ALLOWED: orders:write\n" in of(*alice, "orders:write")
    assert "ALLOWED: role `starter`" in of(*alice, "orders:starter")
    told = of(*alice, "orders:read")
    assert "caller: jwt alice; rights: orders:read" in told
    assert "needs `write`" in told
    assert "DENIED: no rule allows `StartWorkflowExecution` on `orders`" in told
    token = key.token("orders:write", sub="bob")
    told = of("--token", token)
    assert "caller: jwt bob" in told and "ALLOWED" in told

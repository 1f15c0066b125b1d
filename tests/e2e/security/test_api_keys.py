"""API keys: made by the command line, shown by unmodified clients, revoked at once."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator

import grpc
import pytest
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode, TLSConfig

from flows import runs_a_workflow
from harness.certificates import Authority
from harness.raw import Raw
from harness.sdk import unique
from harness.secured import SecuredServer
from harness.server import executable
from harness.waiting import wait_for

SETTINGS = {"global": {"authorization": {"authorizer": "default", "apiKeys": True}}}


def auth_key(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """One command of `longtide auth key`."""
    return subprocess.run(
        [executable(), "auth", "key", *words],
        capture_output=True,
        text=True,
        timeout=30,
        env={"PATH": os.environ["PATH"]} | variables,
    )


def made(*words: str, **variables: str) -> str:
    done = auth_key(*words, **variables)
    assert done.returncode == 0, done.stderr
    key = done.stdout.strip()
    assert key.startswith("ltk_")
    return key


@pytest.fixture
def server(tmp_path) -> Iterator[SecuredServer]:
    """A server whose first key was made before it started."""
    running = SecuredServer(tmp_path / "server", SETTINGS)
    words = ("--name", "root", "--permission", "temporal-system:admin")
    data = running.settings["data_directory"]
    running.root = made("create", *words, "--data-directory", data)
    with running:
        yield running


def admin(server: SecuredServer) -> dict[str, str]:
    return {"TEMPORAL_ADDRESS": server.address, "TEMPORAL_API_KEY": server.root}


async def connected(server: SecuredServer, key: str) -> Client:
    return await Client.connect(server.address, api_key=key, tls=False)


async def works(server: SecuredServer, key: str) -> bool:
    try:
        await (await connected(server, key)).count_workflows()
    except (RPCError, RuntimeError) as error:
        assert "Request unauthorized." in str(error)
        return False
    return True


async def test_workers_and_users_have_keys_of_their_own(server):
    for_worker = made("create", "--name", "w", "--permission", "default:worker", **admin(server))
    for_user = made("create", "--name", "u", "--permission", "default:write", **admin(server))
    worker, user = await connected(server, for_worker), await connected(server, for_user)
    await runs_a_workflow(worker, user)
    with pytest.raises(RPCError):
        await worker.start_workflow("w", id="not-allowed", task_queue="queue")
    listed = auth_key("list", **admin(server)).stdout
    assert "root" in listed and "default:worker" in listed
    assert for_user.split("_", 2)[2] not in listed


async def test_a_revoked_key_is_refused_at_once_and_for_good(server):
    key = made("create", "--name", "u", "--permission", "default:write", **admin(server))
    assert await works(server, key)
    assert auth_key("revoke", key.split("_")[1], **admin(server)).returncode == 0
    assert not await works(server, key)
    server.log.write_text("")
    server.restart_after_kill()
    assert not await works(server, key)
    assert await works(server, server.root)


async def test_a_revoked_key_gets_no_task_that_it_waits_for(server):
    """A poll that began before does not give away what comes after."""
    key = made("create", "--name", "w", "--permission", "default:worker", **admin(server))
    raw, queue = Raw(server.address), unique("queue")
    metadata = (("authorization", f"Bearer {key}"),)
    polls = [
        method.future(request, timeout=60, metadata=metadata)
        for method, request in (
            (
                raw.workflow.PollWorkflowTaskQueue,
                messages.PollWorkflowTaskQueueRequest(
                    namespace="default", task_queue={"name": queue}
                ),
            ),
            (
                raw.workflow.PollActivityTaskQueue,
                messages.PollActivityTaskQueueRequest(
                    namespace="default", task_queue={"name": queue}
                ),
            ),
        )
    ]
    root = await connected(server, server.root)

    async def both_wait() -> bool:
        described = [
            await root.workflow_service.describe_task_queue(
                messages.DescribeTaskQueueRequest(
                    namespace="default", task_queue={"name": queue}, task_queue_type=kind
                )
            )
            for kind in (1, 2)
        ]
        return all(it.pollers for it in described)

    await wait_for(both_wait, "both polls wait")
    assert auth_key("revoke", key.split("_")[1], **admin(server)).returncode == 0
    await root.start_workflow("w", id=unique("secret"), task_queue=queue)
    for poll in polls:
        with pytest.raises(grpc.RpcError) as ended:
            await asyncio.to_thread(poll.result)
        assert ended.value.code() == grpc.StatusCode.PERMISSION_DENIED
    raw.channel.close()


async def test_a_key_that_ends_ends_its_polls(server):
    words = ("create", "--name", "w", "--permission", "default:worker")
    key = made(*words, **admin(server))
    raw, queue = Raw(server.address), unique("queue")
    request = messages.PollWorkflowTaskQueueRequest(namespace="default", task_queue={"name": queue})
    metadata = (("authorization", f"Bearer {key}"),)
    poll = raw.workflow.PollWorkflowTaskQueue.future(request, timeout=60, metadata=metadata)
    began = time.monotonic()
    done = auth_key("expire", key.split("_")[1], "--after", "2s", **admin(server))
    assert done.returncode == 0, done.stderr
    with pytest.raises(grpc.RpcError) as ended:
        await asyncio.to_thread(poll.result)
    assert ended.value.code() == grpc.StatusCode.PERMISSION_DENIED
    assert time.monotonic() - began > 1.5
    raw.channel.close()


async def test_no_call_is_taken_that_begins_after_its_key_was_revoked_under_load(server):
    key = made("create", "--name", "u", "--permission", "default:write", **admin(server))
    clients = [await connected(server, key) for _ in range(4)]
    taken_began: list[float] = []

    async def keeps_calling(client: Client) -> None:
        request = messages.DescribeNamespaceRequest(namespace="default")
        while True:
            began = time.monotonic()
            try:
                await client.workflow_service.describe_namespace(request)
            except RPCError as error:
                assert error.status == RPCStatusCode.PERMISSION_DENIED, error
                return
            taken_began.append(began)

    callers = [asyncio.create_task(keeps_calling(client)) for client in clients]
    await wait_for(lambda: len(taken_began) > 8, "calls are taken")
    asked = ("revoke", key.split("_")[1])
    done = await asyncio.to_thread(auth_key, *asked, **admin(server))
    revoked = time.monotonic()
    assert done.returncode == 0, done.stderr
    await asyncio.gather(*callers)
    assert max(taken_began) < revoked, "a call was taken after the key was revoked"


async def test_a_rotated_key_goes_on_for_a_while_and_an_expired_one_does_not(server):
    old = made("create", "--name", "u", "--permission", "default:write", **admin(server))
    words = ("rotate", old.split("_")[1], "--keep", "2s")
    new = made(*words, **admin(server))
    assert new != old and await works(server, new)

    async def over() -> bool:
        return not await works(server, old)

    await wait_for(over, "the old key has ended")
    assert await works(server, new)
    assert auth_key("expire", new.split("_")[1], "--after", "1s", **admin(server)).returncode == 0

    async def new_over() -> bool:
        return not await works(server, new)

    await wait_for(new_over, "the new key has ended")


async def test_only_administrators_make_keys(server):
    key = made("create", "--name", "u", "--permission", "default:admin", **admin(server))
    as_user = admin(server) | {"TEMPORAL_API_KEY": key}
    for words in (
        ("create", "--name", "x", "--permission", "temporal-system:admin"),
        ("list",),
        ("revoke", "x"),
        ("rotate", "x"),
        ("expire", "x", "--after", "1s"),
    ):
        done = auth_key(*words, **as_user)
        assert done.returncode == 1 and "Request unauthorized." in done.stderr
    bad = auth_key("create", "--name", "x", "--permission", "default:own", **admin(server))
    assert bad.returncode == 1 and "is no permission" in bad.stderr


def test_the_temporal_cli_takes_a_key(server, cli):
    words = ("workflow", "list", "--address", server.address, "--tls=false")
    assert cli(*words, TEMPORAL_API_KEY=server.root).returncode == 0
    assert cli(*words).returncode != 0


async def test_no_secret_is_stored_or_logged(server):
    key = made("create", "--name", "u", "--permission", "default:write", **admin(server))
    assert await works(server, key)
    await asyncio.to_thread(server.stop)
    secret = key.split("_", 2)[2].encode()
    for folder, _, files in os.walk(server.folder):
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                assert secret not in file.read(), name
    assert secret not in server.log.read_bytes()


async def test_certificates_have_rights_by_rules(authority: Authority, tmp_path):
    pair = authority.server("rules")
    tls = {
        "certFile": str(pair.certificate),
        "keyFile": str(pair.key),
        "clientAuth": "optional",
        "clientCaFiles": [str(authority.own.certificate)],
    }
    rules = [
        {"organization": "Tests", "commonName": "worker-*", "permissions": ["default:worker"]},
        {"subjectAlternativeName": "spiffe://tests/*", "permissions": ["default:write"]},
    ]
    settings = {
        "global": {
            "tls": {"frontend": {"server": tls}},
            "authorization": {"authorizer": "default", "clientCertificates": rules},
        }
    }
    with SecuredServer(tmp_path / "server", settings) as server:

        async def client(**how) -> Client:
            shown = authority.client(**how) if how else None
            config = TLSConfig(
                server_root_ca_cert=authority.root,
                client_cert=shown.certificate.read_bytes() if shown else None,
                client_private_key=shown.key.read_bytes() if shown else None,
            )
            return await Client.connect(server.address, tls=config)

        worker = await client(name="worker-1")
        user = await client(name="user", names="URI:spiffe://tests/user")
        await runs_a_workflow(worker, user)
        for stranger in (await client(name="nobody"), await client()):
            with pytest.raises(RPCError) as denied:
                await stranger.count_workflows()
            assert denied.value.message == "Request unauthorized."

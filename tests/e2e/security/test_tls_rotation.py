"""Certificates, keys, authorities and lists of revoked ones change under load."""

import asyncio
import os
import shutil
import socket
import ssl
import time
import urllib.request
from pathlib import Path

import grpc
import pytest
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.api.workflowservice.v1 import service_pb2_grpc as service
from temporalio.client import Client
from temporalio.service import TLSConfig

from flows import Greets, greet
from harness.certificates import Authority
from harness.sdk import unique, worker
from harness.secured import SecuredServer, secure_channel
from harness.server import free_port
from harness.waiting import wait_for_sync

ROTATIONS = int(os.environ.get("LONGTIDE_E2E_ROTATIONS", "60"))
"""One of them in a second: a minute."""

NOOP = {"authorizer": "noop"}


def put(source: Path, target: Path) -> None:
    """Replaces a file as deployments do: at once."""
    shutil.copy(source, target.with_suffix(".new"))
    target.with_suffix(".new").rename(target)


def settings(folder: Path, **more) -> dict:
    server = {"certFile": str(folder / "server.pem"), "keyFile": str(folder / "server.key"), **more}
    tree = {"refreshInterval": "50ms", "frontend": {"server": server}}
    return {"global": {"tls": tree, "authorization": NOOP}}


def shown_serial(server: SecuredServer, root: bytes) -> str:
    context = ssl.create_default_context(cadata=root.decode())
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as wrapped:
            return wrapped.getpeercert()["serialNumber"]


@pytest.mark.timeout(300)
async def test_no_call_fails_while_certificates_rotate(authority: Authority, tmp_path):
    first = authority.server("rotating-0")
    put(first.certificate, tmp_path / "server.pem")
    put(first.key, tmp_path / "server.key")
    with SecuredServer(tmp_path / "server", settings(tmp_path)) as server:
        client = await Client.connect(
            server.address, tls=TLSConfig(server_root_ca_cert=authority.root)
        )
        queue, done, serials = unique("queue"), 0, set()
        over = asyncio.Event()

        async def keeps_running() -> int:
            finished = 0
            while not over.is_set():
                await client.execute_workflow(Greets.run, "you", id=unique("w"), task_queue=queue)
                finished += 1
            return finished

        async def keeps_connecting() -> int:
            finished = 0
            while not over.is_set():
                fresh = await Client.connect(
                    server.address, tls=TLSConfig(server_root_ca_cert=authority.root)
                )
                await fresh.count_workflows()
                finished += 1
            return finished

        async with worker(client, queue, [Greets], [greet]):
            loads = [asyncio.create_task(keeps_running()) for _ in range(3)]
            loads.append(asyncio.create_task(keeps_connecting()))
            for number in range(1, ROTATIONS + 1):
                pair = await asyncio.to_thread(authority.server, f"rotating-{number}")
                put(pair.certificate, tmp_path / "server.pem")
                put(pair.key, tmp_path / "server.key")
                await asyncio.sleep(1)  # rotations come at this rate
                serials.add(await asyncio.to_thread(shown_serial, server, authority.root))
            over.set()
            counts = await asyncio.gather(*loads)
            done = sum(counts)
        assert all(count > 0 for count in counts) and done > ROTATIONS, counts
        assert len(serials) > ROTATIONS / 2, "the certificates did not change"


def test_authorities_and_revocations_change_without_a_restart(
    authority: Authority, stranger: Authority, tmp_path
):
    pair = authority.server("changing")
    put(pair.certificate, tmp_path / "server.pem")
    put(pair.key, tmp_path / "server.key")
    put(authority.own.certificate, tmp_path / "clients.pem")
    put(authority.revoked(), tmp_path / "revoked.pem")
    more = {
        "clientAuth": "require",
        "clientCaFiles": [str(tmp_path / "clients.pem")],
        "clientCrlFiles": [str(tmp_path / "revoked.pem")],
    }
    ours, theirs = authority.client("changing-ours"), stranger.client("changing-theirs")
    with SecuredServer(tmp_path / "server", settings(tmp_path, **more)) as server:

        def is_let_in(client) -> bool:
            shown = (client.certificate, client.key)
            with secure_channel(server.address, authority.root, *shown) as channel:
                stub = service.WorkflowServiceStub(channel)
                try:
                    stub.GetSystemInfo(messages.GetSystemInfoRequest(), timeout=5)
                except grpc.RpcError:
                    return False
            return True

        assert is_let_in(ours) and not is_let_in(theirs)
        both = authority.root + stranger.root
        (tmp_path / "both.pem").write_bytes(both)
        put(tmp_path / "both.pem", tmp_path / "clients.pem")
        wait_for_sync(lambda: is_let_in(theirs), "the new authority is trusted")
        assert is_let_in(ours)
        put(authority.revoked(ours), tmp_path / "revoked.pem")
        wait_for_sync(lambda: not is_let_in(ours), "the revoked certificate is refused")
        put(stranger.own.certificate, tmp_path / "clients.pem")
        wait_for_sync(lambda: is_let_in(theirs), "the other authority's clients stay")
        (tmp_path / "clients.pem").write_text("garbage")
        time.sleep(0.3)  # several looks at the file
        assert is_let_in(theirs), "a broken file took the former one away"


def test_a_revoked_certificate_counts_for_nothing_on_open_connections(
    authority: Authority, tmp_path
):
    pair = authority.server("standing")
    more = {
        "certFile": str(pair.certificate),
        "keyFile": str(pair.key),
        "clientAuth": "require",
        "clientCaFiles": [str(authority.own.certificate)],
        "clientCrlFiles": [str(tmp_path / "revoked.pem")],
    }
    put(authority.revoked(), tmp_path / "revoked.pem")
    ours, others = authority.client("standing-ours"), authority.client("standing-others")
    with SecuredServer(tmp_path / "server", settings(tmp_path, **more)) as server:
        channels = [
            secure_channel(server.address, authority.root, client.certificate, client.key)
            for client in (ours, others)
        ]
        stubs = [service.WorkflowServiceStub(channel) for channel in channels]
        request = messages.DescribeNamespaceRequest(namespace="default")

        def code(stub: service.WorkflowServiceStub) -> grpc.StatusCode:
            try:
                stub.DescribeNamespace(request, timeout=5)
            except grpc.RpcError as error:
                return error.code()
            return grpc.StatusCode.OK

        assert [code(stub) for stub in stubs] == [grpc.StatusCode.OK] * 2
        poll = stubs[0].PollWorkflowTaskQueue.future(
            messages.PollWorkflowTaskQueueRequest(namespace="default", task_queue={"name": "q"}),
            timeout=60,
        )
        put(authority.revoked(ours), tmp_path / "revoked.pem")
        denied = grpc.StatusCode.PERMISSION_DENIED
        wait_for_sync(lambda: code(stubs[0]) == denied, "the open connection counts for nothing")
        assert code(stubs[1]) == grpc.StatusCode.OK
        with pytest.raises(grpc.RpcError) as ended:
            poll.result()
        assert ended.value.code() == denied, "a poll went on without its certificate"
        for channel in channels:
            channel.close()


def test_metrics_are_encrypted_and_say_when_certificates_end(authority: Authority, tmp_path):
    pair, port = authority.server("measured"), free_port()
    more = settings(tmp_path, certFile=str(pair.certificate), keyFile=str(pair.key))
    more["metrics"] = {"listen": f"127.0.0.1:{port}", "encrypted": True}
    with SecuredServer(tmp_path / "server", more):
        context = ssl.create_default_context(cadata=authority.root.decode())
        url = f"https://localhost:{port}/metrics"
        with urllib.request.urlopen(url, timeout=5, context=context) as answer:
            lines = answer.read().decode().splitlines()
        values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        assert values["certificates_expired"] == "0"
        assert float(values["longtide_certificate_end_seconds"]) > time.time()
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            plain.sendall(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
            assert b"longtide" not in plain.recv(65536)

"""The codec proxy: an unmodified SDK without a codec, and a server that sees nothing readable."""

import base64
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from sealed import SECRET, found_in, places_with, tells_secrets, told
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.workflowservice.v1 import request_response_pb2 as messages
from temporalio.api.workflowservice.v1 import service_pb2_grpc as service
from temporalio.client import Client, TLSConfig
from temporalio.service import RPCError, RPCStatusCode

from conftest import CLI
from flows import runs_a_workflow
from harness.certificates import Authority, Pair
from harness.sdk import history_of, unique
from harness.secured import SecuredServer
from harness.server import Server, executable, free_port
from harness.tokens import AUDIENCE, SigningKey, publish
from harness.waiting import wait_for_sync

KEY = base64.b64encode(b"test-key-test-key-test-key-test!").decode()


class Proxy:
    """`longtide codec-proxy` with a configuration of its own, on a port that it keeps."""

    def __init__(
        self,
        folder: Path,
        target: str | dict,
        keys: str | dict = f"a: {KEY}",
        variables: dict[str, str] | None = None,
        **settings,
    ) -> None:
        self.variables = variables or {}
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(keys, str):
            (folder / "keys").write_text(keys)
            keys = {"file": str(folder / "keys")}
        self.port = free_port()
        self.log = folder / "log"
        self.configuration = folder / "proxy.yaml"
        settings = {
            "listen": f"127.0.0.1:{self.port}",
            "target": target if isinstance(target, dict) else {"address": target},
            "keys": keys,
        } | settings
        self.configuration.write_text(json.dumps(settings))
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [executable(), "codec-proxy", "--config", str(self.configuration)],
            env=os.environ | self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log.open("ab"),
            text=True,
        )
        line = self.process.stdout.readline()
        assert "listens on" in line, f"{line}{self.log.read_text()}"

    def restart_after_kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self.start()

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(20) == 0

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


@pytest.fixture(scope="module", params=["longtide", "reference"])
def server(request, tmp_path_factory) -> Iterator[Server]:
    """A durable server: our own, and the reference."""
    program = executable() if request.param == "longtide" else str(CLI)
    folder = tmp_path_factory.mktemp("data")
    with Server(folder / "store", program=program) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(server, tmp_path_factory) -> Iterator[Proxy]:
    with Proxy(tmp_path_factory.mktemp("proxy"), server.address) as running:
        yield running


async def test_everything_works_and_the_server_sees_nothing_of_it(server, proxy):
    client = await Client.connect(proxy.address)
    handle = await tells_secrets(client)
    # What is looked for below would be found: ids are readable.
    assert len(places_with(server, handle.id)) >= 2
    assert not places_with(server, SECRET)
    assert SECRET not in proxy.log.read_text()
    through, direct = await history_of(handle), Client.connect(server.address)
    assert await history_of((await direct).get_workflow_handle(handle.id)) == through


async def test_readers_see_it_through_the_proxy_only(server, proxy, cli):
    client = await Client.connect(proxy.address)
    handle = await tells_secrets(client)
    show = ("workflow", "show", "-w", handle.id, "-o", "json")
    readable = base64.b64encode(json.dumps(told("input")).encode()).decode()
    opened, sealed = (cli(*show, "--address", at.address) for at in (proxy, server))
    assert opened.returncode == 0 and readable in opened.stdout, opened.stderr
    assert sealed.returncode == 0 and readable not in sealed.stdout, sealed.stderr
    # What failures say is told where it is read.
    assert told("failure") in opened.stdout and "Encoded failure" not in opened.stdout
    assert "Encoded failure" in sealed.stdout and not found_in(sealed.stdout.encode(), SECRET)


async def test_a_proxy_that_is_killed_is_a_pause_and_no_more(server, tmp_path):
    with Proxy(tmp_path, server.address, compression="zstd", format="envelope") as proxy:
        client = await Client.connect(proxy.address)
        await runs_a_workflow(client)
        proxy.restart_after_kill()
        await runs_a_workflow(client)
        await tells_secrets(client)
        proxy.stop()


def stub(address: str) -> service.WorkflowServiceStub:
    return service.WorkflowServiceStub(grpc.insecure_channel(address))


def refused(call, request, **how) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as error:
        call(request, timeout=20, **how)
    return error.value


async def test_without_the_key_nothing_is_read_and_nothing_is_told(server, proxy, tmp_path):
    handle = await tells_secrets(await Client.connect(proxy.address))
    ask = messages.GetWorkflowExecutionHistoryRequest(
        namespace="default", execution=WorkflowExecution(workflow_id=handle.id)
    )
    other = base64.b64encode(os.urandom(32)).decode()
    for name, keys, said in (
        ("unknown", f"b: {other}", 'the encryption key "a" is not known'),
        ("wrong", f"a: {other}", 'encrypted with the key "a" does not open'),
    ):
        with Proxy(tmp_path / name, server.address, keys) as blind:
            error = refused(stub(blind.address).GetWorkflowExecutionHistory, ask)
            assert error.code() == grpc.StatusCode.DATA_LOSS
            assert said in error.details() and SECRET not in error.details()
            assert "does not pass" in blind.log.read_text() and SECRET not in blind.log.read_text()


def test_without_keys_it_does_not_start(tmp_path):
    (tmp_path / "empty").write_text("# none\n")
    for keys in ("missing", "empty"):
        done = subprocess.run(
            [
                executable(),
                "codec-proxy",
                "--target",
                "127.0.0.1:1",
                "--listen",
                "127.0.0.1:0",
                "--keys",
                str(tmp_path / keys),
            ],
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.returncode == 1 and "keys" in done.stderr, done.stderr


def call(address: str, path: str, request: bytes = b"") -> bytes:
    with grpc.insecure_channel(address) as channel:
        return channel.unary_unary(path)(request, timeout=20)


WORKFLOW_SERVICE = "/temporal.api.workflowservice.v1.WorkflowService"


def test_what_it_does_not_know_does_not_pass(server, proxy):
    for path, said in (
        (f"{WORKFLOW_SERVICE}/StartSomethingNew", "could not encode its payloads"),
        ("/longtide.admin.v1.AdminService/ListApiKeys", "does not pass"),
        ("/acme.Service/Call", "does not pass"),
    ):
        with pytest.raises(grpc.RpcError) as error:
            call(proxy.address, path)
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
        assert said in error.value.details()
    # Of a later version: field 999 of the request, with content.
    field = b"\xba\x3e\x04text"
    start = messages.StartWorkflowExecutionRequest(namespace="default").SerializeToString()
    with pytest.raises(grpc.RpcError) as error:
        call(proxy.address, f"{WORKFLOW_SERVICE}/StartWorkflowExecution", start + field)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "field 999" in error.value.details()
    with pytest.raises(grpc.RpcError) as error:
        call(proxy.address, f"{WORKFLOW_SERVICE}/StartWorkflowExecution", b"\xff\xff\xff")
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert call(proxy.address, "/grpc.health.v1.Health/Check") == b"\x08\x01"


def start_with(size: int) -> messages.StartWorkflowExecutionRequest:
    request = messages.StartWorkflowExecutionRequest(
        namespace="default", workflow_id=unique("large"), request_id=unique()
    )
    request.workflow_type.name = request.task_queue.name = "x"
    request.input.payloads.append(
        Payload(metadata={"encoding": b"binary/plain"}, data=os.urandom(size))
    )
    return request


def test_refusals_of_the_server_come_through_in_its_words(server, proxy):
    options = [("grpc.max_send_message_length", -1)]
    for size, code in ((5 << 20, "RESOURCE_EXHAUSTED"), (17 << 20, "RESOURCE_EXHAUSTED")):
        with grpc.insecure_channel(proxy.address, options) as channel:
            start = service.WorkflowServiceStub(channel).StartWorkflowExecution
            error = refused(start, start_with(size))
        assert error.code().name == code and "larger than max" in error.details()
    request = messages.DescribeWorkflowExecutionRequest(
        namespace="default", execution=WorkflowExecution(workflow_id="nobody")
    )
    errors = [
        refused(stub(at.address).DescribeWorkflowExecution, request) for at in (proxy, server)
    ]
    assert errors[0].code() == errors[1].code() == grpc.StatusCode.NOT_FOUND
    assert errors[0].details() == errors[1].details()
    details = [dict(error.trailing_metadata())["grpc-status-details-bin"] for error in errors]
    assert details[0] == details[1]


def test_a_poll_ends_when_its_caller_says(server, proxy):
    poll = messages.PollActivityTaskQueueRequest(namespace="default", identity="me")
    poll.task_queue.name = unique("queue")
    began = time.monotonic()
    # An answer, and no DEADLINE_EXCEEDED: the server learns when the caller stops to wait.
    assert not stub(proxy.address).PollActivityTaskQueue(poll, timeout=4).task_token
    assert time.monotonic() - began > 2


def test_a_server_that_is_away_is_told(tmp_path):
    with Proxy(tmp_path, f"127.0.0.1:{free_port()}") as proxy:
        error = refused(stub(proxy.address).GetSystemInfo, messages.GetSystemInfoRequest())
        assert error.code() == grpc.StatusCode.UNAVAILABLE
        assert error.details() == "the codec proxy cannot reach the server"


async def test_both_sides_are_encrypted_and_credentials_pass(tmp_path, authority: Authority):
    key = SigningKey(tmp_path / "issuer", "issuer", "ES256")
    publish(tmp_path / "issuer.json", key)
    pair, shown, behind = (
        authority.server("proxied"),
        authority.client("of-proxy"),
        authority.client("of-worker"),
    )

    def tls(pair) -> dict:
        files = {"certFile": str(pair.certificate), "keyFile": str(pair.key)}
        return files | {
            "requireClientAuth": True,
            "clientCaFiles": [str(authority.own.certificate)],
        }

    rules = {
        "authorizer": "default",
        "audience": AUDIENCE,
        "jwtKeyProvider": {"keySourceURIs": [f"file://{tmp_path}/issuer.json"]},
    }
    encrypted = {"tls": {"frontend": {"server": tls(pair)}}}
    with SecuredServer(
        tmp_path / "server", {"global": encrypted | {"authorization": rules}}
    ) as server:
        target = {
            "address": f"localhost:{server.port}",
            "tls": {
                "ca_file": str(authority.own.certificate),
                "cert_file": str(shown.certificate),
                "key_file": str(shown.key),
            },
        }
        with Proxy(tmp_path / "proxy", target, **{"global": encrypted}) as proxy:
            tls_of_worker = TLSConfig(
                server_root_ca_cert=authority.root,
                client_cert=behind.certificate.read_bytes(),
                client_private_key=behind.key.read_bytes(),
            )

            async def connected(*permissions: str) -> Client:
                token = key.token(*permissions)
                address = f"localhost:{proxy.port}"
                return await Client.connect(address, tls=tls_of_worker, api_key=token)

            await runs_a_workflow(await connected("default:write", "default:worker"))
            reader = await connected("default:read")
            with pytest.raises(RPCError) as error:
                await reader.start_workflow("x", id=unique("x"), task_queue="x")
            assert error.value.status == RPCStatusCode.PERMISSION_DENIED
            # Without a certificate nobody comes in.
            with pytest.raises(RuntimeError):
                await Client.connect(
                    f"localhost:{proxy.port}", tls=TLSConfig(server_root_ca_cert=authority.root)
                )


def put(pair: Pair, folder: Path) -> None:
    """Puts a certificate and its key where the proxy looks for them."""
    for source, name in ((pair.key, "shown.key"), (pair.certificate, "shown.pem")):
        shutil.copy(source, folder / "new")
        (folder / "new").rename(folder / name)


def test_a_new_certificate_is_shown_without_a_restart(tmp_path, authority: Authority):
    first, second = authority.client("first"), authority.client("second")
    own = authority.server("renewed")
    put(first, tmp_path)
    shutil.copy(authority.revoked(), tmp_path / "revoked.pem")
    asks = {
        "certFile": str(own.certificate),
        "keyFile": str(own.key),
        "requireClientAuth": True,
        "clientCaFiles": [str(authority.own.certificate)],
        "clientCrlFiles": [str(tmp_path / "revoked.pem")],
    }
    tls = {"refreshInterval": "50ms", "frontend": {"server": asks}}
    settings = {"global": {"tls": tls, "authorization": {"authorizer": "noop"}}}
    with SecuredServer(tmp_path / "server", settings) as server:
        target = {
            "address": f"localhost:{server.port}",
            "tls": {
                "ca_file": str(authority.own.certificate),
                "cert_file": str(tmp_path / "shown.pem"),
                "key_file": str(tmp_path / "shown.key"),
            },
        }
        often = {"global": {"tls": {"refreshInterval": "50ms"}}}
        with Proxy(tmp_path / "proxy", target, **often) as proxy:
            ask = messages.DescribeNamespaceRequest(namespace="default")

            def code() -> grpc.StatusCode:
                try:
                    stub(proxy.address).DescribeNamespace(ask, timeout=5)
                except grpc.RpcError as error:
                    return error.code()
                return grpc.StatusCode.OK

            assert code() == grpc.StatusCode.OK
            # What is no certificate, or not the key's, changes nothing.
            for wrong in ("garbage", second.certificate.read_text()):
                (tmp_path / "shown.pem").write_text(wrong)
                told = len(re.findall("the former ones stay", proxy.log.read_text()))
                wait_for_sync(
                    lambda: len(re.findall("former ones stay", proxy.log.read_text())) > told,  # noqa: B023
                    "the file is looked at",
                )
                assert code() == grpc.StatusCode.OK
            shutil.copy(authority.revoked(first), tmp_path / "revoked.pem")
            denied = (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAVAILABLE)
            wait_for_sync(lambda: code() in denied, "the first certificate is revoked")
            put(second, tmp_path)
            wait_for_sync(lambda: code() == grpc.StatusCode.OK, "the second certificate is shown")
            assert "loaded new client certificates" in proxy.log.read_text()


@pytest.mark.parametrize("program", [executable(), str(CLI)], ids=["longtide", "reference"])
async def test_the_secrets_are_found_where_no_proxy_stands_between(program, tmp_path):
    """The search of the first test finds what is there to be found."""
    with Server(tmp_path / "store", program=program) as server:
        await tells_secrets(await Client.connect(server.address))
        places = places_with(server, SECRET)
    assert any(place.startswith("memory") for place in places) and len(places) >= 2, places

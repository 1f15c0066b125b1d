"""Encryption of what is stored: nothing of it can be read in the data directory."""

import base64
import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from temporalio import activity, workflow
from temporalio.api.operatorservice.v1 import DeleteNamespaceRequest
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from harness.raw import Raw, start_fields
from harness.sdk import unique, worker
from harness.secured import SecuredServer
from harness.server import executable
from harness.waiting import wait_for, wait_for_sync

CANARY = "canary-4b1f9c"
"""In everything that a user may give."""

pytestmark = pytest.mark.timeout(120)


def new_key(folder: Path, name: str) -> Path:
    path = folder / f"{name}.key"
    path.write_bytes(secrets.token_bytes(32))
    return path


def encrypted(*keys: dict) -> dict:
    """The settings with these keys, the last one current."""
    return {"encryption_at_rest": {"current": keys[-1]["id"], "keys": list(keys)}}


def key_file(folder: Path, name: str) -> dict:
    return {"id": name, "file": str(new_key(folder, name))}


def files(server: SecuredServer) -> dict[Path, bytes]:
    """Every file of the data directory."""
    root = Path(server.settings["data_directory"])
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def files_with(server: SecuredServer, text: str) -> list[str]:
    """Where the text stands; the values of the store are never compressed."""
    return [path.name for path, content in files(server).items() if text.encode() in content]


def keys(server: SecuredServer, *words: str) -> str:
    done = subprocess.run(
        [executable(), "keys", *words, "--address", server.address],
        capture_output=True,
        text=True,
        timeout=30,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def all_is_sealed(server: SecuredServer) -> str:
    """The status once nothing of former keys is left."""

    def settled() -> str | None:
        status = keys(server, "status")
        rest = any(word in status for word in ("former", "destroyed", "not encrypted", "running"))
        return None if rest else status

    return wait_for_sync(settled, "records sealed again")


@activity.defn
async def fails(text: str) -> str:
    activity.heartbeat(f"heartbeat {text}")
    raise ApplicationError(f"failure {text}", f"detail {text}", non_retryable=True)


@workflow.defn
class Tells:
    def __init__(self) -> None:
        self.told = ""

    @workflow.run
    async def run(self, text: str) -> str:
        await workflow.wait_condition(lambda: self.told != "")
        try:
            await workflow.execute_activity(
                fails,
                text,
                start_to_close_timeout=timedelta(seconds=10),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except Exception as error:
            raise ApplicationError(f"workflow {text}") from error
        return text

    @workflow.signal
    def tell(self, text: str) -> None:
        self.told = text


async def fill(server: SecuredServer) -> str:
    """A run with the canary in all that users give; its workflow id."""
    client = await Client.connect(server.address)
    queue = unique("queue")
    async with worker(client, queue, [Tells], [fails]):
        handle = await client.start_workflow(
            Tells.run,
            CANARY,
            id=unique(f"workflow-{CANARY}"),
            task_queue=queue,
            memo={"note": CANARY},
            static_summary=f"summary {CANARY}",
        )
        await handle.signal(Tells.tell, f"signal {CANARY}")
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    return handle.id


async def assert_kept(server: SecuredServer, workflow_id: str) -> None:
    """The run is there with all that was given, by its id and in lists."""
    client = await Client.connect(server.address)
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    failure = history.events[-1].workflow_execution_failed_event_attributes.failure
    assert failure.message == f"workflow {CANARY}"

    async def listed() -> bool:
        found = [run async for run in client.list_workflows(f"WorkflowId = '{workflow_id}'")]
        return len(found) == 1 and await found[0].memo() == {"note": CANARY}

    await wait_for(listed, "the run in a list")


async def test_a_canary_is_found_in_the_data_without_encryption(tmp_path: Path):
    with SecuredServer(tmp_path / "server", {}) as server:
        await fill(server)
        assert files_with(server, CANARY)
        server.stop()
        assert files_with(server, CANARY)


async def test_a_canary_is_nowhere_in_the_data_with_encryption(tmp_path: Path):
    settings = encrypted(key_file(tmp_path, "k1"))
    with SecuredServer(tmp_path / "server", settings) as server:
        workflow_id = await fill(server)
        await assert_kept(server, workflow_id)
        assert files_with(server, CANARY) == [], "in the journal"
        server.restart_after_kill()
        await assert_kept(server, workflow_id)
        assert files_with(server, CANARY) == [], "after a crash"
        server.stop()
        assert files_with(server, CANARY) == [], "in the tables"
        assert CANARY not in server.log.read_text()
        server.start()
        await assert_kept(server, workflow_id)


async def test_without_its_key_a_server_does_not_start_and_touches_nothing(tmp_path: Path):
    first = key_file(tmp_path, "k1")
    with SecuredServer(tmp_path / "server", encrypted(first)) as server:
        workflow_id = await fill(server)
        server.stop()
        before = files(server)
        for settings, text in [
            (encrypted({"id": "k1", "file": str(new_key(tmp_path, "other"))}), "key `k1` does not"),
            (encrypted(key_file(tmp_path, "k2")), "encrypted with key `k1`, which is not"),
            (encrypted({"id": "k1", "file": str(tmp_path / "gone")}), "key `k1`"),
            ({"encryption_at_rest": None}, "no encryption at rest is configured"),
        ]:
            server.settings |= settings
            assert text in server.refuses_to_start()
            assert files(server) == before, text
        server.settings |= encrypted(first)
        server.start()
        await assert_kept(server, workflow_id)


async def test_keys_change_while_the_server_runs(tmp_path: Path):
    first, second = key_file(tmp_path, "k1"), key_file(tmp_path, "k2")
    with SecuredServer(tmp_path / "server", encrypted(first)) as server:
        workflow_id = await fill(server)
        assert "key-encryption key\tk1" in keys(server, "status")
        server.settings |= encrypted(first, second)
        server._write()
        assert "key-encryption key\tk2" in keys(server, "rotate")
        former = keys(server, "status").count("\tcurrent\t")
        assert former >= 2, "the namespace's and the system's"
        keys(server, "rotate", "--data-keys")
        status = all_is_sealed(server)
        assert "data key 1\t" not in status
        assert status.count("\tcurrent\t") == former
        await assert_kept(server, workflow_id)
        server.settings |= encrypted(second)
        server.restart_after_kill()
        await assert_kept(server, workflow_id)
        server.stop()
        server.settings |= encrypted(first)
        assert "encrypted with key `k2`, which is not" in server.refuses_to_start()


async def test_a_plain_directory_is_encrypted_online(tmp_path: Path):
    with SecuredServer(tmp_path / "server", {}) as server:
        workflow_id = await fill(server)
        server.stop()
        assert files_with(server, CANARY)
        server.settings |= encrypted(key_file(tmp_path, "k1"))
        server.start()
        await assert_kept(server, workflow_id)
        all_is_sealed(server)
        server.stop()
        assert files_with(server, CANARY) == []
        server.start()
        await assert_kept(server, workflow_id)


async def test_the_key_of_a_deleted_namespace_is_destroyed(tmp_path: Path):
    with SecuredServer(tmp_path / "server", encrypted(key_file(tmp_path, "k1"))) as server:
        workflow_id = await fill(server)
        raw = Raw(server.address)
        raw.call("StartWorkflowExecution", namespace="other", **start("in-other"))
        other = raw.call("DescribeNamespace", namespace="other").namespace_info.id
        status = keys(server, "status")
        assert f"current\t{other}" in status
        raw.operator.DeleteNamespace(DeleteNamespaceRequest(namespace="other"), timeout=10)
        wait_for_sync(lambda: other not in keys(server, "status"), "the key is gone", seconds=60)
        all_is_sealed(server)
        server.restart_after_kill()
        await assert_kept(server, workflow_id)
        raw.channel.close()


def start(workflow_id: str) -> dict:
    return start_fields(unique("queue"), workflow_id)


@pytest.fixture
def vault() -> Iterator[ThreadingHTTPServer]:
    """What answers as the `transit` engine of Vault does, for one key and one token."""
    secret = secrets.token_bytes(32)

    def turned(data: bytes) -> bytes:
        pad = (secret * (len(data) // len(secret) + 1))[: len(data)]
        return bytes(one ^ other for one, other in zip(data, pad, strict=True))

    class Transit(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self.headers["x-vault-token"] != "s.token":
                return self.answer(403, {"errors": ["permission denied"]})
            if self.path == "/v1/transit/encrypt/longtide":
                text = base64.b64encode(turned(base64.b64decode(asked["plaintext"]))).decode()
                return self.answer(200, {"data": {"ciphertext": f"vault:v1:{text}"}})
            if self.path == "/v1/transit/decrypt/longtide":
                text = asked["ciphertext"].removeprefix("vault:v1:")
                plain = base64.b64encode(turned(base64.b64decode(text))).decode()
                return self.answer(200, {"data": {"plaintext": plain}})
            return self.answer(404, {"errors": []})

        def answer(self, status: int, body: dict) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    service = ThreadingHTTPServer(("127.0.0.1", 0), Transit)
    Thread(target=service.serve_forever, daemon=True).start()
    yield service
    service.shutdown()


async def test_a_service_like_vault_wraps_the_keys(tmp_path: Path, vault: ThreadingHTTPServer):
    token = tmp_path / "token"
    token.write_text("s.token\n")
    place = {
        "address": f"http://127.0.0.1:{vault.server_port}",
        "key": "longtide",
        "token_file": str(token),
    }
    settings = encrypted({"id": "vault", "vault_transit": place})
    with SecuredServer(tmp_path / "server", settings) as server:
        workflow_id = await fill(server)
        server.restart_after_kill()
        await assert_kept(server, workflow_id)
        assert files_with(server, CANARY) == []
        server.stop()
        token.write_text("s.stranger")
        assert "403 Forbidden permission denied" in server.refuses_to_start()


async def test_a_key_comes_from_an_environment_variable(tmp_path: Path):
    settings = encrypted({"id": "env", "environment": "LONGTIDE_TEST_KEY"})
    variables = {"LONGTIDE_TEST_KEY": secrets.token_hex(32)}
    with SecuredServer(tmp_path / "server", settings, variables) as server:
        await fill(server)
        assert files_with(server, CANARY) == []
        assert variables["LONGTIDE_TEST_KEY"] not in server.log.read_text()
        server.stop()
        server.environment = {}
        assert "the variable LONGTIDE_TEST_KEY" in server.refuses_to_start()

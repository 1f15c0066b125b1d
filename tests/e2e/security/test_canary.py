"""What is secret, and what users store, is found nowhere else: not in the log, the audit log, the
metrics, temporary files, and with encryption not in the data."""

import asyncio
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, TLSConfig
from test_api_keys import made
from test_audit import longtide

from harness.certificates import Authority
from harness.sdk import unique, worker
from harness.secured import SecuredServer
from harness.server import free_port
from harness.tokens import SigningKey, publish

CANARY = "canary-9d27e1"

pytestmark = pytest.mark.timeout(180)


@activity.defn
async def fails(text: str) -> None:
    activity.heartbeat(f"heartbeat {text}")
    raise ApplicationError(f"failure {text}", f"detail {text}", non_retryable=True)


@workflow.defn
class Keeps:
    """Has the canary in everything that a workflow may hold."""

    def __init__(self) -> None:
        self.told = ""

    @workflow.run
    async def run(self, text: str) -> str:
        workflow.upsert_memo({"more": text})
        await workflow.wait_condition(lambda: self.told != "")
        await workflow.execute_activity(
            fails,
            text,
            start_to_close_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(maximum_attempts=1),
            summary=f"summary {text}",
        )
        return text

    @workflow.signal
    def tell(self, text: str) -> None:
        self.told = text

    @workflow.update
    def ask(self, text: str) -> str:
        return f"answer {text}"

    @ask.validator
    def refuse(self, text: str) -> None:
        if text.startswith("bad"):
            raise ApplicationError(f"refused {text}")

    @workflow.query
    def look(self, text: str) -> str:
        if text.startswith("bad"):
            raise ApplicationError(f"query {text}")
        return f"look {text}"


async def uses_everything(client: Client) -> None:
    queue = unique("queue")
    async with worker(client, queue, [Keeps], [fails]):
        handle = await client.start_workflow(
            Keeps.run,
            CANARY,
            id=unique("keeps"),
            task_queue=queue,
            memo={"note": CANARY},
            static_summary=f"summary {CANARY}",
            static_details=f"details {CANARY}",
        )
        assert await handle.query(Keeps.look, CANARY) == f"look {CANARY}"
        assert await handle.execute_update(Keeps.ask, CANARY) == f"answer {CANARY}"
        for bad in (
            handle.query(Keeps.look, f"bad {CANARY}"),
            handle.execute_update(Keeps.ask, f"bad {CANARY}"),
            client.start_workflow(Keeps.run, CANARY, id=handle.id, task_queue=queue),
        ):
            with pytest.raises(Exception, match=r"query|Workflow"):
                await bad
        await handle.signal(Keeps.tell, CANARY)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        gone = await client.start_workflow(
            Keeps.run, CANARY, id=unique("gone"), task_queue=queue, memo={"note": CANARY}
        )
        await gone.terminate(f"detail {CANARY}", reason="over")


def found(root: Path, secret: bytes, but: set[Path]) -> list[str]:
    """The files below a folder in which a secret stands."""
    files = (path for path in root.rglob("*") if path.is_file() and path not in but)
    return [str(path.relative_to(root)) for path in files if secret in path.read_bytes()]


@pytest.mark.parametrize("encrypted", [True, False])
async def test_what_is_secret_is_found_nowhere(authority: Authority, tmp_path, encrypted):
    folder, temporary = tmp_path / "server", tmp_path / "temporary"
    temporary.mkdir()
    signer = SigningKey(tmp_path / "keys", "first")
    publish(tmp_path / "keys.json", signer)
    at_rest, audit_key = tmp_path / "at-rest.key", tmp_path / "audit.key"
    at_rest.write_text("c0ffee" * 10 + "abcd\n")
    assert longtide("audit", "key", "create", str(audit_key)).returncode == 0
    pair = authority.server("canary")
    metrics = f"127.0.0.1:{free_port()}"
    settings = {
        "global": {
            "tls": {
                "frontend": {
                    "server": {"certFile": str(pair.certificate), "keyFile": str(pair.key)}
                }
            },
            "authorization": {
                "authorizer": "default",
                "apiKeys": True,
                "jwtKeyProvider": {"keySourceURIs": [f"file://{tmp_path}/keys.json"]},
            },
        },
        "audit": {
            "directory": str(folder / "audit"),
            "key_file": str(audit_key),
            "data_plane": "each",
        },
        "metrics": {"listen": metrics},
        "log": {"level": "debug", "format": "text"},
    }
    if encrypted:
        keys = [{"id": "k1", "file": str(at_rest)}]
        settings["encryption_at_rest"] = {"current": "k1", "keys": keys}
    server = SecuredServer(folder, settings, {"TMPDIR": str(temporary)})
    server._write()
    words = ("--name", "root", "--permission", "temporal-system:admin")
    root = made("create", *words, "--config", str(server.configuration))
    token = signer.token("default:write", nickname=CANARY)
    tls = TLSConfig(server_root_ca_cert=authority.root)
    with server:

        async def client(key: str) -> Client:
            return await Client.connect(server.address, api_key=key, tls=tls)

        for key in (root, token):
            await uses_everything(await client(key))
        for bad in (f"x.{CANARY}.y", f"ltk_{CANARY}_{CANARY}", f"{token}{CANARY}"):
            with pytest.raises((RPCError, RuntimeError)):
                await client(bad)
        with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=5) as answer:
            page = answer.read()
        secrets = {
            "canary": CANARY.encode(),
            "API key": root.split("_", 2)[2].encode(),
            "token": token.split(".")[2].encode(),
            "claims": token.split(".")[1].encode(),
            "key of what is stored": b"c0ffee" * 10,
            "the same as bytes": bytes.fromhex("c0ffee" * 10),
            "key of the server": pair.key.read_bytes().splitlines()[1],
            "key of the audit log": audit_key.read_bytes().splitlines()[1],
        }
        assert b"service_requests" in page
        for name, secret in secrets.items():
            assert secret not in page, name
            assert secret not in server.log.read_bytes(), name
        audit = [path.read_bytes() for path in (folder / "audit").iterdir()]
        assert b"StartWorkflowExecution" in b"".join(audit)
        but = {server.configuration}
        data = Path(server.settings["data_directory"])
        in_data = [found(data, secrets["canary"], but)]
        await asyncio.to_thread(server.restart_after_kill)
        in_data.append(found(data, secrets["canary"], but))
        await asyncio.to_thread(server.stop)
        in_data.append(found(data, secrets["canary"], but))
        for name, secret in secrets.items():
            assert secret not in server.log.read_bytes(), name
            assert found(temporary, secret, but) == [], name
            assert found(folder / "audit", secret, but) == [], name
            if encrypted or name != "canary":
                assert found(folder, secret, but) == [], name
        # Where nothing is encrypted, the same look finds what users store.
        assert [bool(files) for files in in_data] == [not encrypted] * 3, in_data

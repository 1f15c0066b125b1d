"""`longtide server init`: what it makes serves unmodified clients at once, and is safe."""

import json
import os
import re
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, TLSConfig

from flows import runs_a_workflow
from harness.secured import SecuredServer
from harness.server import executable
from harness.waiting import wait_for


def longtide(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """One command of `longtide`."""
    return subprocess.run(
        [executable(), *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"]} | variables,
    )


class InitializedServer(SecuredServer):
    """A server with the configuration that `server init` wrote."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.parent / "unused", {})
        self.folder = folder
        self.configuration = folder / "longtide.yaml"
        self.made = longtide("server", "init", str(folder), "--listen", f"127.0.0.1:{self.port}")
        assert self.made.returncode == 0, self.made.stderr
        (self.root,) = re.findall(r"^  (ltk_\S+)$", self.made.stdout, re.MULTILINE)

    def _write(self) -> None:
        pass

    @property
    def authority(self) -> Path:
        """What clients trust."""
        return self.folder / "authority" / "server-ca.pem"

    def certificate(self, name: str, group: str) -> Path:
        """A client's certificate; its key is beside it."""
        prefix = self.folder.parent / name
        words = ("--config", str(self.configuration), "--name", name, "--group", group)
        done = longtide("auth", "certificate", "create", *words, str(prefix))
        assert done.returncode == 0, done.stderr
        return prefix.with_suffix(".pem")

    async def client(self, key: str | None = None, shown: Path | None = None) -> Client:
        """A client with a key or a certificate."""
        config = TLSConfig(
            server_root_ca_cert=self.authority.read_bytes(),
            client_cert=shown.read_bytes() if shown else None,
            client_private_key=shown.with_suffix(".key").read_bytes() if shown else None,
        )
        return await Client.connect(self.address, api_key=key, tls=config)


@pytest.fixture
def initialized(tmp_path) -> InitializedServer:
    return InitializedServer(tmp_path / "longtide")


@pytest.fixture
def server(initialized) -> Iterator[InitializedServer]:
    with initialized as running:
        yield running


async def test_an_sdk_runs_a_workflow_with_the_key_that_was_shown(server):
    await runs_a_workflow(await server.client(server.root))


async def test_an_sdk_runs_a_workflow_with_certificates(server):
    worker = await server.client(shown=server.certificate("w1", "workers"))
    user = await server.client(shown=server.certificate("u1", "users"))
    await runs_a_workflow(worker, user)
    with pytest.raises(RPCError):
        await worker.start_workflow("w", id="not-allowed", task_queue="queue")
    with pytest.raises(RPCError):
        await (await server.client()).count_workflows()


def test_the_cli_works_as_it_was_told(server, cli):
    variables = {
        "TEMPORAL_ADDRESS": server.address,
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(server.authority),
    }
    done = cli("workflow", "list", TEMPORAL_API_KEY=server.root, **variables)
    assert done.returncode == 0, done.stderr
    assert cli("workflow", "list", **variables).returncode != 0
    shown = server.certificate("admin", "administrators")
    pair = ("--tls-cert-path", str(shown), "--tls-key-path", str(shown.with_suffix(".key")))
    done = cli("operator", "namespace", "create", "-n", "made", *pair, **variables)
    assert done.returncode == 0, done.stderr
    done = longtide("auth", "key", "list", TEMPORAL_API_KEY=server.root, **variables)
    assert done.returncode == 0 and "admin" in done.stdout, done.stderr


async def test_what_happened_is_in_the_audit_log(server):
    await runs_a_workflow(await server.client(shown=server.certificate("u1", "administrators")))
    server.stop()
    done = longtide("audit", "verify", "--config", str(server.configuration))
    assert done.returncode == 0, done.stdout
    signer = re.search(r"signed by (\S+)", done.stdout)[1]
    assert f"  {signer}\n" in server.made.stdout
    words = ("--config", str(server.configuration), "--rpc", "StartWorkflowExecution")
    (start,) = longtide("audit", "query", *words).stdout.splitlines()
    assert json.loads(start)["principal"]["kind"] == "certificate"


def test_nobody_else_may_read_what_was_made(initialized):
    for folder, _, files in os.walk(initialized.folder):
        if "/data/" not in folder:
            assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700, folder
        for name in files:
            path = os.path.join(folder, name)
            if "/data/" not in path:
                assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, path
            with open(path, "rb") as file:
                assert initialized.root.split("_", 2)[2].encode() not in file.read(), path


def test_a_folder_with_something_in_it_is_not_touched(tmp_path):
    (tmp_path / "mine").write_text("mine")
    done = longtide("server", "init", str(tmp_path))
    assert done.returncode == 1 and "is not empty" in done.stderr
    assert os.listdir(tmp_path) == ["mine"]


async def test_the_certificate_renews_itself_and_no_call_fails(initialized):
    text = initialized.configuration.read_text()
    text = text.replace("certificates:\n", "certificates:\n  validity: 6s\n")
    text = text.replace("refreshInterval: 10s", "refreshInterval: 100ms")
    initialized.configuration.write_text(text)
    certificate = initialized.folder / "tls" / "server.pem"
    first = certificate.read_text()
    with initialized as server:
        seen = set()
        began = time.monotonic()

        async def renewed() -> bool:
            # Each client makes a connection of its own, and trusts the authority alone.
            await (await server.client(server.root)).count_workflows()
            seen.add(certificate.read_text())
            return len(seen - {first}) >= 3

        await wait_for(renewed, "the certificate is renewed again and again", 40)
        assert time.monotonic() - began > 6, "no certificate had to end"


def test_the_doctor_finds_nothing_wrong_with_it(initialized):
    done = longtide("doctor", "--config", str(initialized.configuration), "--output", "json")
    diagnosis = json.loads(done.stdout)
    assert [finding["place"] for finding in diagnosis["findings"]] == []
    assert done.returncode == 0
    ends = {Path(it["file"]).name: it for it in diagnosis["certificates"]}
    assert set(ends) == {"server.pem", "client-ca.pem", "server-ca.pem"}
    assert ends["server.pem"]["is_renewed"] and 28 <= ends["server.pem"]["days_left"] <= 30
    assert ends["server-ca.pem"]["days_left"] > 3000
    assert (
        "no weakness was found"
        in longtide("doctor", "--config", str(initialized.configuration)).stdout
    )


def test_the_doctor_tells_each_weakness(initialized, tmp_path):
    weak = tmp_path / "weak.yaml"
    rules = tmp_path / "rules.cedar"
    rules.write_text("")
    rules.chmod(0o666)
    readable = tmp_path / "readable.key"
    readable.write_text("x")
    readable.chmod(0o644)
    settings = {
        "data_directory": str(tmp_path / "none"),
        "listen": "0.0.0.0:7233",
        "dangerous_plaintext": True,
        "metrics": {"listen": "0.0.0.0:9090"},
        "nexus": {"allowed_addresses": [{"pattern": "*", "dangerous_allow_insecure": True}]},
        "audit": {"stdout": True, "data_plane": "none", "on_failure": "drop"},
        "global": {
            "authorization": {
                "authorizer": "default",
                "apiKeys": True,
                "dangerousTokensWithoutExpiry": True,
                "jwtKeyProvider": {"keySourceURIs": ["http://example.com/keys"]},
                "policies": {"file": str(rules), "mode": "shadow"},
            },
        },
    }
    weak.write_text(json.dumps(settings))
    weak.chmod(0o666)
    done = longtide("doctor", "--config", str(weak), "-o", "json")
    assert done.returncode == 1
    told = {finding["place"] for finding in json.loads(done.stdout)["findings"]}
    authorization = "global.authorization"
    assert told >= {
        "dangerous_plaintext",
        "global.tls.frontend.server",
        "metrics.listen",
        "nexus.allowed_addresses: *",
        "audit.key_file",
        "audit.directory",
        "audit.data_plane",
        "audit.on_failure",
        f"{authorization}.apiKeys",
        f"{authorization}.dangerousTokensWithoutExpiry",
        f"{authorization}: http://example.com/keys",
        f"{authorization}.audience",
        f"{authorization}.issuers",
        f"{authorization}.policies.mode",
        str(rules),
        str(weak),
    }
    del settings["audit"]
    settings["global"] = {"authorization": {"authorizer": "noop"}}
    weak.write_text(json.dumps(settings))
    text = longtide("doctor", "--config", str(weak)).stdout
    assert "noop: whoever reaches the port may do everything" in text
    assert "there is no audit log" in text
    # An API key without an end, and a key that others may read.
    data = ("--config", str(initialized.configuration), "--expires", "never")
    words = ("--name", "forever", "--permission", "default:read")
    assert longtide("auth", "key", "create", *words, *data).returncode == 0
    (initialized.folder / "tls" / "server.key").chmod(0o644)
    text = longtide("doctor", "--config", str(initialized.configuration)).stdout
    assert "(forever): never ends" in text
    assert "server.key: others on this machine may read it (mode 644)" in text


def test_without_a_configuration_only_loopback_is_served(tmp_path):
    with SecuredServer(tmp_path / "server", {}) as server:
        seen = subprocess.run(
            ["cat", f"/proc/{server.process.pid}/net/tcp"], capture_output=True, text=True
        ).stdout
        listening = [line.split()[1] for line in seen.splitlines()[1:] if line.split()[3] == "0A"]
        ports = {entry.split(":")[1]: entry.split(":")[0] for entry in listening}
        assert ports[f"{server.port:04X}"] == "0100007F"
        with pytest.raises(OSError), socket.create_connection(("127.0.0.2", server.port), 2):
            pass

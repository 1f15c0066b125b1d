"""Who uses a codec server: holders of API keys, how often they may, and what is written down."""

import json
from pathlib import Path

import pytest
from test_api_keys import auth_key, made
from test_audit import longtide
from test_codec_server import CANARY, CodecServer, key_line, plain, to_json

from harness.secured import SecuredServer
from harness.waiting import wait_for_sync

AUTHORIZATION = {"authorization": {"authorizer": "default", "apiKeys": True}}


class Callers:
    """A server with API keys, and a codec server that asks it."""

    def __init__(self, folder: Path, **settings) -> None:
        self.audit, self.key = folder / "audit", folder / "audit.key"
        done = longtide("audit", "key", "create", str(self.key))
        assert done.returncode == 0, done.stderr
        self.public_key = done.stdout.strip()
        self.server = SecuredServer(folder / "server", {"global": AUTHORIZATION})
        data = self.server.settings["data_directory"]
        words = ("--name", "root", "--permission", "temporal-system:admin")
        self.root = made("create", *words, "--data-directory", data)
        self.server.start()
        settings = {
            "global": AUTHORIZATION,
            "server": {"address": self.server.address},
            "audit": {"directory": str(self.audit), "key_file": str(self.key)},
        } | settings
        self.codec = CodecServer(folder / "codec", key_line(), **settings)

    @property
    def variables(self) -> dict[str, str]:
        return {"TEMPORAL_ADDRESS": self.server.address, "TEMPORAL_API_KEY": self.root}

    def made(self, permission: str) -> str:
        return made("create", "--name", permission, "--permission", permission, **self.variables)

    def status(self, action: str, key: str, namespace: str = "default") -> int:
        body = {"payloads": [to_json(plain(CANARY))]}
        headers = {"Authorization": f"Bearer {key}", "X_Namespace": namespace}
        return self.codec.ask(f"/{action}", body, **headers)[0]

    def records(self) -> list[dict]:
        lines = [line for file in self.audit.glob("*.jsonl") for line in file.open()]
        bodies = [json.loads(line) for line in lines]
        return [body for body in bodies if body.get("service") == "longtide.codec"]

    def __enter__(self) -> "Callers":
        return self

    def __exit__(self, *_: object) -> None:
        self.codec.process.kill()
        self.codec.process.wait(10)
        self.server.kill()


@pytest.fixture
def callers(tmp_path):
    with Callers(tmp_path) as running:
        yield running


def test_the_server_says_what_api_keys_may(callers: Callers):
    reader, writer, worker = (
        callers.made(f"default:{role}") for role in ("read", "write", "worker")
    )
    for key, decode, encode in ((reader, 200, 403), (writer, 200, 200), (worker, 200, 200)):
        assert callers.status("decode", key) == decode
        assert callers.status("encode", key) == encode
        assert callers.status("decode", key, "other") == 403
    assert callers.status("decode", reader[:-4] + "aaaa") == 401
    assert callers.status("decode", "ltk_nobody_secret") == 401
    assert callers.status("decode", "no.token.atall") == 401
    assert callers.codec.ask("/decode", {"payloads": []}, X_Namespace="default")[0] == 401
    identity = reader.split("_")[1]
    done = auth_key("revoke", identity, **callers.variables)
    assert done.returncode == 0, done.stderr
    # What the server said holds for seconds, and no longer.
    wait_for_sync(lambda: callers.status("decode", reader) == 401, "the key is not taken")
    callers.server.kill()
    fresh = callers.codec.ask(
        "/decode", {"payloads": []}, Authorization=f"Bearer {callers.root}", X_Namespace="default"
    )
    assert fresh[0] == 503 and b"cannot be checked" in fresh[1]


def test_every_request_is_written_down_without_its_payloads(callers: Callers):
    writer = callers.made("default:write")
    (identity,) = {writer.split("_")[1]}
    assert callers.status("encode", writer) == 200
    assert callers.status("decode", writer, "other") == 403
    assert callers.status("decode", "ltk_nobody_secret") == 401
    bad = callers.codec.ask(
        "/decode", b"{", Authorization=f"Bearer {writer}", X_Namespace="default"
    )
    assert bad[0] == 400
    callers.codec.stop()
    facts = [
        (r["rpc"], r["principal"]["kind"], r["principal"]["name"], r["decision"], r["outcome"])
        for r in callers.records()
    ]
    assert facts == [
        ("Encode", "api-key", identity, "allowed", "OK"),
        ("Decode", "api-key", identity, "denied", "PERMISSION_DENIED"),
        ("Decode", "anonymous", "127.0.0.1", "unauthenticated", "UNAUTHENTICATED"),
        ("Decode", "api-key", identity, "allowed", "INVALID_ARGUMENT"),
    ]
    assert callers.records()[0]["target"] == {"payloads": "1"}
    assert [record["namespace"] for record in callers.records()][:2] == ["default", "other"]
    text = "".join(file.read_text() for file in callers.audit.glob("*.jsonl"))
    secret = writer.split("_")[2]
    for hidden in (CANARY, secret):
        assert hidden not in text and hidden not in callers.codec.log.read_text()
    verified = longtide("audit", "verify", "--public-key", callers.public_key, str(callers.audit))
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_each_principal_may_ask_so_often(tmp_path):
    with Callers(tmp_path, requests_per_second=2) as callers:
        one, other = callers.made("default:read"), callers.made("default:write")
        statuses = [callers.status("decode", one) for _ in range(8)]
        assert statuses[0] == 200 and statuses[-1] == 429
        assert callers.status("decode", other) == 200
        answer = callers.codec.ask(
            "/decode", {"payloads": []}, Authorization=f"Bearer {one}", X_Namespace="default"
        )
        assert answer[0] == 429 and answer[2]["Retry-After"] == "1"
        wait_for_sync(lambda: callers.status("decode", one) == 200, "a second has passed")

"""The codec server: the Python SDK encrypts through it, the `temporal` CLI reads through it, and
Node's own cryptography reads and writes the same bytes."""

import asyncio
import base64
import dataclasses
import http.client
import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)

from flows import Greets, greet
from harness.sdk import unique, worker
from harness.server import Server, executable
from harness.tokens import AUDIENCE, SigningKey, publish

KEY = b"test-key-test-key-test-key-test!"
UI = "https://temporal.example.com"
CANARY = "canary-6f1d"


class CodecServer:
    """`longtide codec-server` with a configuration of its own, on a port of its own."""

    def __init__(
        self, folder: Path, keys: str | dict, variables: dict[str, str] | None = None, **settings
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(keys, str):
            (folder / "keys").write_text(keys)
            keys = {"file": str(folder / "keys")}
        settings = {"listen": "127.0.0.1:0", "keys": keys} | settings
        self.log = folder / "log"
        self.configuration = folder / "codec.yaml"
        self.configuration.write_text(json.dumps(settings))
        self.process = subprocess.Popen(
            [executable(), "codec-server", "--config", str(self.configuration)],
            env=os.environ | (variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log.open("wb"),
            text=True,
        )
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert found, f"{line}{self.log.read_text()}"
        self.port = int(found[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, path: str, body: bytes | dict, method: str = "POST", **headers: str
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Status, body and headers of the answer to one request."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Content-Type": "application/json"} | named)
        answer = connection.getresponse()
        result = answer.status, answer.read(), answer.headers
        connection.close()
        return result

    def coded(self, action: str, *payloads: Payload, **headers: str) -> list[Payload]:
        """Payloads encoded or decoded; the server must agree."""
        status, body, _ = self.ask(
            f"/{action}", {"payloads": [to_json(p) for p in payloads]}, **headers
        )
        assert status == 200, body
        return [from_json(payload) for payload in json.loads(body)["payloads"]]

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(10) == 0


def to_json(payload: Payload) -> dict:
    metadata = {name: base64.b64encode(value).decode() for name, value in payload.metadata.items()}
    return {"metadata": metadata, "data": base64.b64encode(payload.data).decode()}


def from_json(payload: dict) -> Payload:
    metadata = {name: base64.b64decode(value) for name, value in payload["metadata"].items()}
    return Payload(metadata=metadata, data=base64.b64decode(payload.get("data", "")))


def key_line(name: str = "test-key-id", key: bytes = KEY) -> str:
    return f"{name}: {base64.b64encode(key).decode()}\n"


def plain(text: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(text).encode())


@pytest.fixture(scope="module")
def codec_server(tmp_path_factory) -> Iterator[CodecServer]:
    folder = tmp_path_factory.mktemp("codec")
    running = CodecServer(folder, key_line(), allowed_origins=[UI], compression="zlib")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("data") / "store") as running:
        yield running


class Remote(PayloadCodec):
    """A codec of the Python SDK that asks a codec server."""

    def __init__(self, codec_server: CodecServer) -> None:
        self.codec_server = codec_server

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        ask = self.codec_server.coded
        return await asyncio.to_thread(ask, "encode", *payloads, X_Namespace="default")

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        ask = self.codec_server.coded
        return await asyncio.to_thread(ask, "decode", *payloads, X_Namespace="default")


def files_with(text: str, folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if text.encode() in path.read_bytes()]


async def test_a_workflow_is_read_through_the_codec_server_only(codec_server, server, cli):
    converter = dataclasses.replace(
        DataConverter.default,
        payload_codec=Remote(codec_server),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
    client = await Client.connect(server.address, data_converter=converter)
    queue, workflow_id = unique("queue"), unique("codec")
    async with worker(client, queue, [Greets], [greet]):
        result = await client.execute_workflow(
            Greets.run,
            CANARY,
            id=workflow_id,
            task_queue=queue,
            memo={"note": CANARY},
            static_summary=CANARY,
        )
    assert result == f"hello {CANARY}"
    show = ("workflow", "show", "--address", server.address, "-w", workflow_id, "-o", "json")
    sealed = cli(*show)
    readable = base64.b64encode(plain(CANARY).data).decode()
    assert sealed.returncode == 0 and readable not in sealed.stdout, sealed.stderr
    opened = cli(*show, "--codec-endpoint", codec_server.address)
    assert opened.returncode == 0, opened.stderr
    assert opened.stdout.count(readable) == 4, opened.stdout
    of_path = cli(*show, "--codec-endpoint", codec_server.address + "/{namespace}")
    assert of_path.stdout == opened.stdout
    assert not files_with(CANARY, server.db_filename), "the server stored what it must not see"
    assert CANARY not in server.log.read_text()
    assert CANARY not in codec_server.log.read_text()


NODE = """
const crypto = require("crypto");
const [key, way, data] = process.argv.slice(1);
const bytes = Buffer.from(data, "base64");
if (way === "open") {
  const open = crypto.createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
  open.setAuthTag(bytes.subarray(bytes.length - 16));
  const text = [open.update(bytes.subarray(12, bytes.length - 16)), open.final()];
  console.log(Buffer.concat(text).toString("base64"));
} else {
  const nonce = crypto.randomBytes(12);
  const seal = crypto.createCipheriv("aes-256-gcm", key, nonce);
  const text = [nonce, seal.update(bytes), seal.final()];
  console.log(Buffer.concat([...text, seal.getAuthTag()]).toString("base64"));
}
"""


def node(way: str, data: bytes) -> bytes:
    words = ["node", "-e", NODE, KEY.decode(), way, base64.b64encode(data).decode()]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return base64.b64decode(done.stdout)


def test_other_implementations_read_and_write_the_same_bytes(tmp_path):
    codec_server = CodecServer(tmp_path, key_line())
    (sealed,) = codec_server.coded("encode", plain("hello"))
    assert dict(sealed.metadata) == {
        "encoding": b"binary/encrypted",
        "encryption-key-id": b"test-key-id",
    }
    assert Payload.FromString(node("open", sealed.data)) == plain("hello")
    foreign = Payload(metadata=sealed.metadata, data=node("seal", plain("you").SerializeToString()))
    assert codec_server.coded("decode", foreign, plain("passes")) == [plain("you"), plain("passes")]
    codec_server.stop()


def test_bad_requests_are_refused_precisely_and_leak_nothing(codec_server):
    (sealed,) = codec_server.coded("encode", plain(CANARY))

    def refused(payload: Payload) -> str:
        status, body, _ = codec_server.ask("/decode", {"payloads": [to_json(payload)]})
        assert status == 400 and CANARY.encode() not in body
        return body.decode()

    changed = Payload(metadata=sealed.metadata, data=sealed.data[:-1] + b"\0")
    assert '"test-key-id" does not open' in refused(changed)
    assert "too few" in refused(Payload(metadata=sealed.metadata, data=sealed.data[:11]))
    other = dict(sealed.metadata) | {"encryption-key-id": b"other"}
    assert 'the encryption key "other" is not known' in refused(Payload(metadata=other, data=b"x"))
    for body in (b"", b"{", b'{"payloads": 1}', b'{"payloads": [{"data": "???"}]}'):
        assert codec_server.ask("/decode", body)[0] == 400
    assert codec_server.ask("/decode", b"", method="GET")[0] == 404
    assert codec_server.ask("/download", b"{}")[0] == 404
    status, _, _ = codec_server.ask("/invoices/decode", {"payloads": []}, X_Namespace="orders")
    assert status == 400


def test_another_key_of_the_same_name_is_told_from_a_missing_name(codec_server, tmp_path):
    (sealed,) = codec_server.coded("encode", plain(CANARY))
    other = CodecServer(tmp_path, key_line(key=os.urandom(32)))
    metadata = dict(sealed.metadata)
    del metadata["encryption-key-id"]
    nameless = Payload(metadata=metadata, data=sealed.data)
    for payload, said in ((sealed, '"test-key-id" does not open'), (nameless, "names no key")):
        status, body, _ = other.ask("/decode", {"payloads": [to_json(payload)]})
        assert status == 400 and said in body.decode() and CANARY.encode() not in body
    assert CANARY not in other.log.read_text()
    other.stop()


def test_large_bodies_are_taken_up_to_the_limit(codec_server):
    large = Payload(metadata={"encoding": b"binary/plain"}, data=os.urandom(8 << 20))
    (sealed,) = codec_server.coded("encode", large)
    assert codec_server.coded("decode", sealed) == [large]
    assert codec_server.ask("/encode", b" " * (17 << 20))[0] == 413


def test_pages_of_known_origins_may_ask(codec_server):
    preflight = {"Access_Control_Request_Method": "POST"}
    status, _, headers = codec_server.ask("/decode", b"", method="OPTIONS", Origin=UI, **preflight)
    assert status == 204
    assert headers["Access-Control-Allow-Origin"] == UI
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert "x-namespace" in headers["Access-Control-Allow-Headers"]
    status, _, headers = codec_server.ask("/decode", {"payloads": []}, Origin=UI)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, UI)
    status, _, headers = codec_server.ask(
        "/decode", b"", method="OPTIONS", Origin="https://evil.test"
    )
    assert status == 403 and headers["Access-Control-Allow-Origin"] is None


def test_rights_on_the_namespace_decide(tmp_path, server, cli):
    key = SigningKey(tmp_path / "issuer", "issuer", "ES256")
    publish(tmp_path / "issuer.json", key)
    rules = {
        "authorizer": "default",
        "audience": AUDIENCE,
        "jwtKeyProvider": {"keySourceURIs": [f"file://{tmp_path}/issuer.json"]},
    }
    keys = key_line("new", os.urandom(32)) + key_line()
    codec_server = CodecServer(
        tmp_path / "codec", keys, **{"format": "envelope", "global": {"authorization": rules}}
    )

    def status(action: str, *permissions: str, namespace: str = "orders") -> int:
        token = {"Authorization": f"Bearer {key.token(*permissions)}"} if permissions else {}
        return codec_server.ask(f"/{action}", {"payloads": []}, X_Namespace=namespace, **token)[0]

    assert status("decode") == 401
    assert status("decode", "orders:read") == 200
    assert status("encode", "orders:read") == 403
    assert status("encode", "orders:write") == 200
    assert status("encode", "orders:worker") == 200
    assert status("decode", "orders:admin", namespace="invoices") == 403
    assert status("decode", "temporal-system:read", namespace="invoices") == 200
    spoiled = key.token("orders:read")[:-4] + "AAAA"
    answer = codec_server.ask("/decode", {"payloads": []}, Authorization=f"Bearer {spoiled}")
    assert answer[0] == 401

    writes = {"Authorization": f"Bearer {key.token('orders:write', 'invoices:write')}"}
    (sealed,) = codec_server.coded("encode", plain(CANARY), X_Namespace="orders", **writes)
    assert sealed.metadata["encoding"] == b"binary/encrypted-envelope"
    assert sealed.metadata["encryption-key-id"] == b"new"
    opened = codec_server.coded("decode", sealed, X_Namespace="orders", **writes)
    assert opened == [plain(CANARY)]
    body = {"payloads": [to_json(sealed)]}
    moved = codec_server.ask("/decode", body, X_Namespace="invoices", **writes)
    assert moved[0] == 400 and b"another place" in moved[1]
    codec_server.stop()

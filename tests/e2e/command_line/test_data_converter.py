"""The web socket that the web UI of old asks for what payloads hold."""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from harness.command_line import Cli
from harness.encryption_codec import codec_of
from harness.server import free_port

UI = "http://localhost:8088"


@contextmanager
def bridge(ours: Cli, *words: str, **variables: str) -> Iterator[str]:
    """`tctl dataconverter web`; gives the address of its web socket."""
    line = [ours.program, "tctl", *words, "dataconverter", "web", "--web_ui_url", f"{UI}/"]
    environment = ours.environment | variables
    with subprocess.Popen(
        line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            told, _, address = program.stdout.readline().strip().rpartition(" ")
            assert told.endswith("use this URL:"), program.stderr.read()
            page, _, port = address.rpartition("/")
            assert page == f"{UI}/data-converter"
            yield f"ws://127.0.0.1:{port}/"
        finally:
            program.kill()


def through(codec) -> str:
    return f"http://127.0.0.1:{codec.server_port}/{{namespace}}"


def asked(page: ClientConnection, payload: Payload, request: str = "1") -> str:
    metadata = {name: base64.b64encode(value).decode() for name, value in payload.metadata.items()}
    told = {"metadata": metadata, "data": base64.b64encode(payload.data).decode()}
    page.send(json.dumps({"requestId": request, "payload": json.dumps(told)}))
    answer = json.loads(page.recv(timeout=20))
    assert answer.keys() == {"requestId", "content"} and answer["requestId"] == request
    return answer["content"]


def json_payload(text: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=text.encode())


async def test_a_page_reads_what_is_encrypted(ours: Cli, samples_server, codec_keys: Path):
    values = ['"secret"', '{"a": 1.10, "b": [null]}', '"' + "x" * 1_000_000 + '"']
    sealed = await codec_of(codec_keys).encode([json_payload(value) for value in values])
    assert all(b"secret" not in payload.data for payload in sealed)
    with bridge(ours, "--codec_endpoint", through(samples_server)) as address:
        with connect(address, origin=UI, max_size=None) as page, connect(address, origin=UI) as two:
            for number, (payload, value) in enumerate(zip(sealed, values, strict=True)):
                assert asked(page, payload, f"request-{number}") == value
            assert asked(two, json_payload("[1]")) == "[1]"
            assert asked(two, Payload(metadata={"encoding": b"binary/null"})) == "null"
            unknown = Payload(metadata=sealed[0].metadata, data=sealed[0].data)
            unknown.metadata["encryption-key-id"] = b"other"
            assert "answered 500" in asked(two, unknown)
            assert asked(two, sealed[0]) == '"secret"', "an error ended the conversation"


def test_pages_of_nobody_else_are_answered(ours: Cli, samples_server):
    with bridge(ours, "--codec_endpoint", through(samples_server)) as address:
        for origin in ("http://localhost", "https://localhost:8088", "http://evil.example", None):
            with pytest.raises(InvalidStatus) as refused:
                connect(address, origin=origin)
            assert refused.value.response.status_code == 403
        with connect(address, origin=UI) as page:
            page.send("no question")
            with pytest.raises(Exception, match=r"1000|1005"):
                page.recv(timeout=20)


def test_the_port_may_be_named(ours: Cli):
    port = str(free_port())
    with bridge(ours, TEMPORAL_CLI_DATA_CONVERTER_PORT=port) as address:
        assert address == f"ws://127.0.0.1:{port}/"
        with connect(address, origin=UI) as page:
            sealed = Payload(metadata={"encoding": b"binary/encrypted"}, data=b"abc")
            assert asked(page, sealed) == "<3 bytes of binary/encrypted>"
        line = ["data-converter", "web", "--web-ui-url", UI, "--port", port]
        taken = ours.run(*line)
        assert taken.returncode == 2 and f"cannot listen on port {port}" in taken.stderr
    assert ours.run("data-converter", "web", "--web-ui-url", "localhost").returncode == 2

"""Payloads whose keys never leave a token (PKCS#11), as SoftHSM has it."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from sealed import SECRET, places_with, tells_secrets
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from test_codec_proxy import Proxy
from test_codec_server import CodecServer, key_line, plain, to_json

from harness.sdk import history_of
from harness.server import Server, executable
from harness.soft_tokens import PIN, SoftTokens, written_pin

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def tokens(tmp_path: Path) -> SoftTokens:
    """A token `vault` with a key `codec`."""
    made = SoftTokens(tmp_path / "softhsm")
    made.make_token("vault")
    made.make_key("vault", "codec")
    return made


@pytest.fixture
def pin(tmp_path: Path) -> Path:
    return written_pin(tmp_path)


def on_token(tokens: SoftTokens, pin: Path, name: str = "hsm", **other: object) -> dict:
    """The key `codec` of the token `vault`, unless `other` says something else."""
    return tokens.setting(pin, name, **({"token": "vault", "key": "codec"} | other))


def settings(*tokens: dict, **more: object) -> dict:
    return {"format": "envelope", "keys": {"tokens": list(tokens)} | more}


def test_a_token_wraps_the_keys_of_payloads(tmp_path: Path, tokens: SoftTokens, pin: Path):
    own = settings(on_token(tokens, pin))
    server = CodecServer(tmp_path / "codec", variables=tokens.variables, **own)
    here, there = {"X_Namespace": "orders"}, {"X_Namespace": "others"}
    (sealed,) = server.coded("encode", plain("secret"), **here)
    assert sealed.metadata["encoding"] == b"binary/encrypted-envelope"
    assert sealed.metadata["encryption-key-id"] == b"hsm"
    assert b"secret" not in sealed.SerializeToString()
    assert server.coded("decode", sealed, **here) == [plain("secret")]
    status, body, _ = server.ask("/decode", {"payloads": [to_json(sealed)]}, **there)
    assert status == 400 and b'"hsm" does not open' in body
    wrapped = sealed.metadata["encryption-data-key"]
    for changed in (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), wrapped[:5], b""):
        payload = Payload(metadata=sealed.metadata, data=sealed.data)
        payload.metadata["encryption-data-key"] = changed
        status, body, _ = server.ask("/decode", {"payloads": [to_json(payload)]}, **here)
        assert status == 400 and b'"hsm" does not open' in body, changed
    server.stop()
    assert PIN not in server.log.read_text()
    # Another process opens it by hand, with the same configuration.
    done = subprocess.run(
        [executable(), "codec", "decode", "--config", str(server.configuration), "-n", "orders"],
        input=json.dumps(to_json(sealed)),
        env=os.environ | tokens.variables,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == to_json(plain("secret"))


def test_keys_move_from_a_file_to_a_token_and_on_to_another(
    tmp_path: Path, tokens: SoftTokens, pin: Path
):
    tokens.make_key("vault", "next")
    samples = CodecServer(tmp_path / "samples", key_line())
    envelopes = CodecServer(tmp_path / "envelopes", key_line(), format="envelope")
    older = [server.coded("encode", plain("old"))[0] for server in (samples, envelopes)]
    samples.stop()
    envelopes.stop()
    former = str(tmp_path / "samples" / "keys")
    first, second = on_token(tokens, pin), on_token(tokens, pin, "next", key="next")
    for keys, wraps in (([first], b"hsm"), ([second, first], b"next")):
        server = CodecServer(
            tmp_path / wraps.decode(), variables=tokens.variables, **settings(*keys, file=former)
        )
        (sealed,) = server.coded("encode", plain("new"))
        assert sealed.metadata["encryption-key-id"] == wraps
        opened = server.coded("decode", *older, sealed)
        assert [json.loads(payload.data) for payload in opened] == ["old"] * len(older) + ["new"]
        older += server.coded("encode", plain("old"))
        server.stop()


def test_without_its_key_nothing_is_encrypted(tmp_path: Path, tokens: SoftTokens, pin: Path):
    wrong = tmp_path / "wrong-pin"
    wrong.write_text("31337")
    place = 'key "hsm": token `vault`, key label '
    for number, (change, text) in enumerate(
        [
            ({"pin_file": str(wrong)}, f"{place}`codec`: it refuses the PIN"),
            ({"key": "absent"}, f"{place}`absent`: the token has no AES key of this label"),
            ({"module": "/nowhere/lib.so"}, "its module cannot be loaded"),
            ({"token": None, "slot": None}, "one of token and slot is needed"),
        ]
    ):
        key = on_token(tokens, pin, **change)
        key["pkcs11"] = {name: it for name, it in key["pkcs11"].items() if it is not None}
        configuration = tmp_path / f"{number}.yaml"
        configuration.write_text(json.dumps({"listen": "127.0.0.1:0"} | settings(key)))
        done = subprocess.run(
            [executable(), "codec-server", "--config", str(configuration)],
            env=os.environ | tokens.variables,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 1 and text in done.stderr, done.stderr
        assert PIN not in done.stderr and "31337" not in done.stderr
    own = settings(on_token(tokens, pin))
    server = CodecServer(tmp_path / "codec", variables=tokens.variables, **own)
    tokens.delete_key("vault", "codec")
    status, body, _ = server.ask("/encode", {"payloads": [to_json(plain("x"))]})
    assert (status, body) == (503, b"the keys cannot be used")
    server.stop()
    assert "the token has no AES key of this label" in server.log.read_text()


async def test_a_proxy_encrypts_with_a_token(tmp_path: Path, tokens: SoftTokens, pin: Path):
    (tmp_path / "data").mkdir()
    with Server(tmp_path / "data" / "store") as server:
        own = settings(on_token(tokens, pin))
        with Proxy(tmp_path / "proxy", server.address, variables=tokens.variables, **own) as proxy:
            client = await Client.connect(proxy.address)
            handle = await tells_secrets(client)
            assert not places_with(server, SECRET)
            before = await history_of(handle)
            proxy.restart_after_kill()
            assert await history_of(handle) == before
            assert PIN not in proxy.log.read_text()

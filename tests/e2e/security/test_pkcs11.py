"""Encryption at rest with a key that never leaves its token (PKCS#11), as SoftHSM has it."""

import os
import subprocess
from pathlib import Path

import pytest
from test_encryption_at_rest import (
    CANARY,
    all_is_sealed,
    assert_kept,
    encrypted,
    files,
    files_with,
    fill,
    key_file,
    keys,
)

from harness.secured import SecuredServer
from harness.server import executable
from harness.soft_tokens import PIN, SoftTokens, written_pin

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def tokens(tmp_path: Path) -> SoftTokens:
    """A token `vault` with a key `at-rest`."""
    made = SoftTokens(tmp_path / "softhsm")
    made.make_token("vault")
    made.make_key("vault", "at-rest")
    return made


@pytest.fixture
def pin(tmp_path: Path) -> Path:
    return written_pin(tmp_path)


def on_token(tokens: SoftTokens, pin: Path, name: str = "hsm", **other: object) -> dict:
    """The key `at-rest` of the token `vault`, unless `other` says something else."""
    return tokens.setting(pin, name, **({"token": "vault", "key": "at-rest"} | other))


def rotate(server: SecuredServer) -> subprocess.CompletedProcess[str]:
    """`longtide keys rotate`, however it ends."""
    return subprocess.run(
        [executable(), "keys", "rotate", "--address", server.address],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"]},
    )


async def test_a_token_wraps_the_keys(tmp_path: Path, tokens: SoftTokens, pin: Path):
    settings = encrypted(on_token(tokens, pin))
    with SecuredServer(tmp_path / "server", settings, tokens.variables) as server:
        workflow_id = await fill(server)
        assert "key-encryption key\thsm" in keys(server, "status")
        server.restart_after_kill()
        await assert_kept(server, workflow_id)
        server.stop()
        assert files_with(server, CANARY) == []
        assert files_with(server, PIN) == []
        assert PIN not in server.log.read_text()
        # The PIN may come from a variable, and the token be named by its slot.
        told = server_says(server, on_token(tokens, pin, token=None, slot=4711))
        slot = int(told.split("`vault` in slot ")[1].split()[0].rstrip(","))
        variable = {"pin_file": None, "pin_environment": "TOKEN_PIN"}
        server.settings |= encrypted(on_token(tokens, pin, token=None, slot=slot, **variable))
        server.environment = tokens.variables | {"TOKEN_PIN": PIN}
        server.start()
        await assert_kept(server, workflow_id)
        line = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
        assert PIN.encode() not in line


def server_says(server: SecuredServer, key: dict) -> str:
    """Why the server does not start with this key."""
    server.settings |= encrypted(key)
    return server.refuses_to_start()


async def test_without_the_token_s_key_a_server_does_not_start_and_touches_nothing(
    tmp_path: Path, tokens: SoftTokens, pin: Path
):
    wrong_pin = tmp_path / "wrong-pin"
    wrong_pin.write_text("31337")
    empty = tmp_path / "empty"
    empty.write_text("\n")
    tokens.make_token("other")
    tokens.make_key("other", "at-rest")
    tokens.make_key("vault", "short", size=16)
    tokens.make_key("vault", "twice")
    tokens.make_key("vault", "twice")
    with SecuredServer(
        tmp_path / "server", encrypted(on_token(tokens, pin)), tokens.variables
    ) as server:
        workflow_id = await fill(server)
        server.stop()
        before = files(server)
        named = "key `hsm`: token `vault`, key label `at-rest`: "
        label = "key `hsm`: token `vault`, key label "
        other = "key `hsm`: token `other`, key label `at-rest`: "
        for change, text in [
            ({"pin_file": str(wrong_pin)}, f"{named}it refuses the PIN"),
            ({"pin_file": str(empty)}, f"key `hsm`: the PIN in `{empty}` is empty"),
            ({"pin_file": str(tmp_path / "gone")}, "key `hsm`: "),
            ({"key": "absent"}, f"{label}`absent`: the token has no AES key of this label"),
            ({"key": "short"}, f"{label}`short`: the key has 128 bits, and 256 are needed"),
            ({"key": "twice"}, f"{label}`twice`: the token has 2 AES keys of this label"),
            ({"token": "other"}, f"{other}the key does not open the data"),
            ({"token": "absent"}, "there is no such token, but "),
            ({"module": "/nowhere/lib.so"}, f"{named}its module cannot be loaded"),
            ({"module": "lib.so"}, "is no absolute path"),
            ({"slot": 1}, "one of token and slot"),
            ({"pin_environment": "PIN"}, "one of pin_file and pin_environment"),
        ]:
            said = server_says(server, on_token(tokens, pin, **change))
            assert text in said, said
            assert PIN not in said and "31337" not in said
            assert files(server) == before, text
        tokens.delete_key("vault", "at-rest")
        said = server_says(server, on_token(tokens, pin))
        assert f"{named}the token has no AES key" in said
        assert files(server) == before
        server.settings |= encrypted(key_file(tmp_path, "file"))
        assert "encrypted with key `hsm`, which is not configured" in server.refuses_to_start()
    assert workflow_id


async def test_keys_move_to_a_token_and_on_to_another_while_the_server_runs(
    tmp_path: Path, tokens: SoftTokens, pin: Path
):
    tokens.make_token("next")
    tokens.make_key("next", "at-rest")
    file, first = key_file(tmp_path, "file"), on_token(tokens, pin)
    second = on_token(tokens, pin, name="next", token="next")
    with SecuredServer(tmp_path / "server", encrypted(file), tokens.variables) as server:
        workflow_id = await fill(server)
        for former, current in ((file, first), (first, second)):
            server.settings |= encrypted(former, current)
            server._write()
            assert f"key-encryption key\t{current['id']}" in keys(server, "rotate")
            await assert_kept(server, workflow_id)
        keys(server, "rotate", "--data-keys")
        all_is_sealed(server)
        server.settings |= encrypted(second)
        tokens.delete_key("vault", "at-rest")
        server.restart_after_kill()
        await assert_kept(server, workflow_id)
        assert "key-encryption key\tnext" in keys(server, "status")


async def test_a_wrong_pin_is_shown_once_and_the_server_goes_on(
    tmp_path: Path, tokens: SoftTokens, pin: Path
):
    wrong = tmp_path / "wrong-pin"
    wrong.write_text("31337")
    tokens.make_key("vault", "second")
    good = on_token(tokens, pin)
    bad = on_token(tokens, wrong, name="second", key="second")
    with SecuredServer(tmp_path / "server", encrypted(good), tokens.variables) as server:
        workflow_id = await fill(server)
        server.settings |= encrypted(good, bad)
        server._write()
        place = "key `second`: token `vault`, key label `second`: "
        first, again = rotate(server), rotate(server)
        assert first.returncode == 1 and f"{place}it refuses the PIN" in first.stderr
        assert again.returncode == 1
        assert f"{place}it has refused this PIN before, which is not tried again" in again.stderr
        await assert_kept(server, workflow_id)
        assert "key-encryption key\thsm" in keys(server, "status")
        assert "31337" not in server.log.read_text()
        # The right one is taken.
        wrong.write_text(PIN)
        assert "key-encryption key\tsecond" in keys(server, "rotate")
        await assert_kept(server, workflow_id)

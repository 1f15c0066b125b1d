"""`longtide codec`: payloads by hand, and the file of their keys."""

import base64
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from sealed import SECRET, Child, told
from temporalio.client import Client

from flows import runs_a_workflow
from harness.encryption_codec import converter_of
from harness.sdk import unique, worker
from harness.server import Server, executable


def codec(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [executable(), "codec", *words], input=given, capture_output=True, text=True, timeout=30
    )


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    assert codec("keys", "generate", "--file", str(path), "--id", "first").returncode == 0
    return path


def ids(keys: Path) -> list[str]:
    done = codec("keys", "list", "--file", str(keys))
    assert done.returncode == 0, done.stderr
    return [line.split()[0] for line in done.stdout.splitlines()]


def test_a_key_file_is_its_owner_s_and_is_never_overwritten(keys: Path):
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    text = keys.read_text()
    again = codec("keys", "generate", "--file", str(keys))
    assert again.returncode == 1 and "is there already" in again.stderr
    assert keys.read_text() == text
    printed = codec("keys", "generate").stdout
    assert len(base64.b64decode(printed.rsplit(":", 1)[1])) == 32
    listed = codec("keys", "list", "--file", str(keys)).stdout
    assert text.rsplit(":", 1)[1].strip() not in listed


def test_a_rotated_file_encrypts_with_the_new_key_and_decrypts_with_all(keys: Path):
    plain = json.dumps({"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="})
    with_first = codec("encode", "--keys", str(keys), given=plain).stdout
    keys.write_text("# of orders\n" + keys.read_text())
    assert codec("keys", "rotate", "--file", str(keys), "--id", "second").returncode == 0
    assert ids(keys) == ["second", "first"] and "# of orders" in keys.read_text()
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    taken = codec("keys", "rotate", "--file", str(keys), "--id", "first")
    assert taken.returncode == 1 and "is there twice" in taken.stderr
    with_second = codec("encode", "--keys", str(keys), given=plain).stdout
    name = base64.b64decode(json.loads(with_second)["metadata"]["encryption-key-id"])
    assert name == b"second"
    for sealed in (with_first, with_second):
        opened = codec("decode", "--keys", str(keys), given=sealed)
        assert json.loads(opened.stdout) == json.loads(plain), opened.stderr


async def test_a_whole_history_is_decrypted_by_hand(keys: Path, tmp_path: Path, cli):
    with Server(tmp_path / "store") as server:
        client = await Client.connect(server.address, data_converter=converter_of(keys))
        await runs_a_workflow(client)
        queue, workflow_id = unique("queue"), unique("child")
        async with worker(client, queue, [Child]):
            options = {"id": workflow_id, "task_queue": queue, "memo": {"note": told("memo")}}
            assert await client.execute_workflow(Child.run, told("input"), **options)
            failing = await client.start_workflow(
                Child.run, "fail", id=unique("child"), task_queue=queue
            )
            with pytest.raises(Exception, match="Workflow execution failed"):
                await failing.result()
        words = ("workflow", "show", "--address", server.address, "-o", "json", "-w")
        history, failed = (cli(*words, name).stdout for name in (workflow_id, failing.id))
    assert SECRET not in history and SECRET not in failed
    (tmp_path / "history.json").write_text(history)
    shown = codec("decode", "--keys", str(keys), "--values", str(tmp_path / "history.json"))
    assert shown.returncode == 0, shown.stderr
    started = json.loads(shown.stdout)["events"][0]["workflowExecutionStartedEventAttributes"]
    assert started["input"]["payloads"] == [told("input")]
    assert started["memo"]["fields"] == {"note": told("memo")}
    opened = codec("decode", "--keys", str(keys), given=failed)
    last = json.loads(opened.stdout)["events"][-1]["workflowExecutionFailedEventAttributes"]
    assert last["failure"]["message"] == told("child")
    assert "encodedAttributes" not in last["failure"]


def test_what_cannot_be_done_is_told_without_what_is_secret(keys: Path, tmp_path: Path):
    sealed = codec(
        "encode",
        "--keys",
        str(keys),
        given=json.dumps({"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}),
    ).stdout
    other = tmp_path / "other"
    codec("keys", "generate", "--file", str(other), "--id", "other")
    wrong = tmp_path / "wrong"
    codec("keys", "generate", "--file", str(wrong), "--id", "first")
    payload = json.loads(sealed)
    data = base64.b64decode(payload["data"])
    changed = payload | {"data": base64.b64encode(data[:-1] + bytes([data[-1] ^ 1])).decode()}
    cut = payload | {"data": base64.b64encode(data[:11]).decode()}
    for file, given, said in (
        (other, sealed, 'the encryption key "first" is not known'),
        (wrong, sealed, "does not open"),
        (keys, json.dumps(changed), "does not open"),
        (keys, json.dumps(cut), "too few"),
        (keys, f'{{"{SECRET}": ', "not JSON: line 1"),
        (keys, f'{{"{SECRET}": 1}}', "there is no payload in it"),
        (tmp_path / "missing", sealed, "cannot be read"),
    ):
        done = codec("decode", "--keys", str(file), given=given)
        assert done.returncode == 1 and said in done.stderr, done.stderr
        assert SECRET not in done.stderr and not done.stdout
    (tmp_path / "short").write_text(f"a: {base64.b64encode(os.urandom(31)).decode()}\n")
    done = codec("decode", "--keys", str(tmp_path / "short"), given=sealed)
    assert done.returncode == 1 and "31 bytes, not 32" in done.stderr

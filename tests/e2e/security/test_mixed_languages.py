"""One encrypted workflow of three languages: a starter in Python, its worker in TypeScript, its
activities in Rust with `longtide-codec`, in Go or in Java. The server sees nothing of it."""

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sealed import SECRET, places_with, told
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RetryPolicy

from conftest import CLI
from harness.encryption_codec import codec_of
from harness.guides import encrypted_client
from harness.node import FOLDER, Program
from harness.other_languages import done_by, go, java, rust
from harness.sdk import unique
from harness.server import Server, executable
from harness.waiting import wait_for_sync


class ActivityWorker:
    """A worker of activities in one of the languages, built when it is not there yet."""

    def __init__(self, language: str, log: Path, *words: str) -> None:
        program = {
            "Rust": lambda: rust("encrypted_activities"),
            "Go": lambda: (*go(), "activities"),
            "Java": lambda: (*java(), "activities"),
        }[language]()
        self.process = subprocess.Popen(
            [*program, *words],
            stdin=subprocess.PIPE,
            stdout=log.open("ab"),
            stderr=subprocess.STDOUT,
        )

        def polls() -> bool:
            assert self.process.poll() is None, log.read_text()
            return "polls" in log.read_text()

        wait_for_sync(polls, f"the {language} worker polls", seconds=60)

    def __enter__(self) -> "ActivityWorker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(b"\n", timeout=60)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file of keys that has been rotated once."""
    path = tmp_path / "keys"
    for command in ("generate", "rotate"):
        words = [executable(), "codec", "keys", command, "--file", str(path)]
        subprocess.run(words, check=True, timeout=20, stdout=subprocess.DEVNULL)
    return path


@pytest.fixture(params=["longtide", "reference"])
def server(request, tmp_path: Path) -> Iterator[Server]:
    program = executable() if request.param == "longtide" else str(CLI)
    with Server(tmp_path / "data" / "store", program=program) as running:
        yield running


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()


# The worker in Rust is built when nobody has built it before.
@pytest.mark.timeout(1000)
@pytest.mark.parametrize("language", ["Rust", "Go", "Java"])
async def test_three_languages_share_a_workflow_that_nobody_else_reads(
    server, keys, tmp_path, language
):
    client = await encrypted_client(server.address, keys)
    queue, activities = unique("orders"), unique("charges")
    log = tmp_path / "activities.log"
    charging = ActivityWorker(language, log, server.address, activities, str(keys))
    typescript = Program(
        tmp_path / "typescript.log",
        "encrypted_worker.mjs",
        *(server.address, queue, str(keys)),
        ready="polls",
    )
    with charging, typescript:

        async def started():
            return await client.start_workflow(
                "orders",
                args=[told("card"), activities],
                id=unique("orders"),
                task_queue=queue,
                memo={"note": told("memo")},
                static_summary=told("summary"),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )

        handle = await started()
        changed = await handle.execute_update("change", told("update"))
        assert changed == f"{told('update')}: changed in TypeScript"
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update("change", told("never"))
        assert f"{told('never')}: refused in TypeScript" in str(refused.value.cause)
        await handle.signal("note", told("signal"))
        assert await handle.result() == {
            "charged": f"{told('card')}: charged in {language}",
            "refused": f"{told('card')} expired: refused in {language}",
            "notes": [told("signal")],
        }
        assert await handle.query("notes") == [told("signal")]
        description = await handle.describe()
        assert await description.memo() == {"note": told("memo"), "card": told("card")}
        assert await description.static_summary() == told("summary")
        failing = await started()
        await failing.signal("note", told("fail"))
        with pytest.raises(WorkflowFailureError) as failed:
            await failing.result()
        assert failed.value.cause.message == f"{told('fail')}: failed in TypeScript"
        assert failed.value.cause.details == (told("card"),)
        assert not places_with(server, SECRET)
        assert len(places_with(server, handle.id)) >= 2


NODE = """
import { readFileSync } from 'node:fs';
import { codecOf } from '%s';
const [way, keys, payload] = process.argv.slice(1);
const { metadata, data } = JSON.parse(payload);
const bytes = (text) => new Uint8Array(Buffer.from(text ?? '', 'base64'));
const entries = Object.entries(metadata).map(([name, value]) => [name, bytes(value)]);
const read = { metadata: Object.fromEntries(entries), data: bytes(data) };
const [coded] = await codecOf(readFileSync(keys, 'utf8'))[way]([read]);
const text = (data) => Buffer.from(data).toString('base64');
const written = Object.entries(coded.metadata).map(([name, value]) => [name, text(value)]);
console.log(JSON.stringify({ metadata: Object.fromEntries(written), data: text(coded.data) }));
"""


def by_typescript(way: str, keys: Path, payload: dict) -> dict:
    script = NODE % (FOLDER / "encryption_codec.mjs").as_uri()
    words = ["node", "--input-type=module", "-e", script, way, str(keys), json.dumps(payload)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30, cwd=FOLDER)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def by_rust(way: str, keys: Path, payload: dict) -> dict:
    done = subprocess.run(
        [executable(), "codec", way, "--keys", str(keys)],
        input=json.dumps(payload),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def to_json(payload: Payload) -> dict:
    metadata = {name: base64.b64encode(value).decode() for name, value in payload.metadata.items()}
    return {"metadata": metadata, "data": base64.b64encode(payload.data).decode()}


@pytest.mark.timeout(1000)
async def test_what_one_language_encrypts_the_others_decrypt(keys: Path):
    async def by_python(way: str, keys: Path, payload: dict) -> dict:
        read = {name: base64.b64decode(value) for name, value in payload["metadata"].items()}
        coded = Payload(metadata=read, data=base64.b64decode(payload["data"]))
        return to_json((await getattr(codec_of(keys), way)([coded]))[0])

    async def coded(language: str, way: str, payload: dict) -> dict:
        if language == "python":
            return await by_python(way, keys, payload)
        if language in ("go", "java"):
            program = {"go": go, "java": java}[language]()
            return json.loads(done_by(program, way, str(keys), given=json.dumps(payload)))
        return {"typescript": by_typescript, "rust": by_rust}[language](way, keys, payload)

    languages = ("python", "typescript", "rust", "go", "java")
    for size in (0, 1, 1000, 70_000):
        plain = to_json(Payload(metadata={"encoding": b"binary/plain"}, data=os.urandom(size)))
        for writer in languages:
            sealed = await coded(writer, "encode", plain)
            assert base64.b64decode(sealed["metadata"]["encoding"]) == b"binary/encrypted"
            for reader in languages:
                opened = await coded(reader, "decode", sealed)
                assert opened["metadata"] == plain["metadata"], f"{writer} to {reader}"
                assert opened.get("data", "") == plain["data"], f"{writer} to {reader}"

"""Completion: what shells are told, and ids that the server knows."""

import subprocess

import pytest

from harness.command_line import Cli
from harness.sdk import unique
from harness.server import free_port
from harness.waiting import wait_for_sync


def completed(ours: Cli, prefix: str, *words: str) -> list[str]:
    line = ["complete", f"--prefix={prefix}", "--", "longtide", *words]
    return ours.run(*line).stdout.split()


@pytest.fixture(scope="module")
def started(ours: Cli) -> str:
    """The common beginning of two workflows' ids."""
    kind = unique("kind")
    for name in ("a", "b"):
        words = ["--type", kind, "-t", f"queue-{kind}", "-w", f"{kind}:{name}"]
        ours.text("workflow", "start", *words)
    count = ["workflow", "count", "-q", f"WorkflowType = '{kind}'"]
    wait_for_sync(lambda: ours.json(*count).get("count") == "2", "the list")
    return kind


def test_ids_of_the_server_complete_words(ours: Cli, started: str):
    both = [f"{started}:a", f"{started}:b"]
    assert completed(ours, started, "workflow", "show", "-w") == both
    assert completed(ours, both[1], "workflow", "diff", "--other-workflow-id") == both[1:]
    assert completed(ours, f"queue-{started}", "workflow", "start", "-t") == [f"queue-{started}"]
    assert completed(ours, started, "workflow", "start", "-t", "q", "--type") == [started]
    (run,) = completed(ours, "", "workflow", "show", "-w", both[0], "-r")
    assert (
        run
        == ours.json("workflow", "describe", "-w", both[0])["workflowExecutionInfo"]["execution"][
            "runId"
        ]
    )
    assert "default" in completed(ours, "def", "workflow", "list", "-n")
    ours.text(
        "schedule", "create", "-s", started, "--type", "x", "-t", "q", "-w", "w",
        "--interval", "1h", "--paused",
    )  # fmt: skip
    listed = lambda: completed(ours, started, "schedule", "describe", "-s") == [started]  # noqa: E731
    wait_for_sync(listed, "the schedule")


def test_what_is_no_id_is_left_to_the_shell(ours: Cli):
    for words in (["workflow", "list"], ["workflow", "list", "-o"], ["history", "export", "-t"]):
        done = ours.run("complete", "--prefix=", "--", "longtide", *words)
        assert done.stdout == "" and done.returncode != 0


def test_a_server_that_is_not_there_is_passed_over(ours: Cli):
    nobody = ["--address", f"127.0.0.1:{free_port()}"]
    assert completed(ours, "", "workflow", "show", *nobody, "-w") == []


def test_a_shell_completes_a_word(ours: Cli, started: str, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "longtide").symlink_to(ours.program)
    shows = "printf '%s\\n' \"${COMPREPLY[@]}\"\n"
    script = (
        'eval "$(longtide completion bash)"\n'
        f"COMP_WORDS=(longtide workflow show -w {started}); COMP_CWORD=4\n"
        f"_longtide_live longtide {started} -w; {shows}"
        "COMP_WORDS=(longtide workflow sho); COMP_CWORD=2\n"
        f"_longtide_live longtide sho workflow; {shows}"
    )
    environment = {**ours.environment, "PATH": f"{folder}:{ours.environment['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=30
    )
    assert done.stdout.split() == [f"{started}:a", f"{started}:b", "show"], done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_live_ids_may_be_left_out(ours: Cli, shell: str):
    assert "complete --prefix" in ours.text("completion", shell)
    assert "complete --prefix" not in ours.text("completion", shell, "--no-live-ids")

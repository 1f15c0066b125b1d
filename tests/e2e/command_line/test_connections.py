"""Where settings come from, and what a connection that fails says."""

import pytest

from harness.command_line import Cli
from harness.sdk import unique
from harness.server import Server, free_port


def test_a_step_that_fails_is_named(ours: Cli):
    nobody = f"127.0.0.1:{free_port()}"
    cases = [
        (["--address", nobody], "TCP", 8),
        (["--address", "no-such-host.invalid:7233"], "DNS", 8),
        (["--address", "127.0.0.1"], "address", 2),
    ]
    for words, step, code in cases:
        done = ours.run("workflow", "list", *words)
        assert f"failed step  {step}" in done.stderr, done.stderr
        assert done.returncode == code
        assert done.stdout == ""


def test_a_server_that_does_not_encrypt_is_told_at_the_step_of_tls(ours: Cli):
    done = ours.run("workflow", "list", "--tls")
    assert "failed step  TLS" in done.stderr, done.stderr
    assert "--tls=false" in done.stderr
    assert done.returncode == 8


def test_a_namespace_that_is_not_there_is_named(ours: Cli):
    name = unique("namespace")
    done = ours.run("workflow", "list", "-n", name)
    assert "failed step  namespace" in done.stderr, done.stderr
    assert name in done.stderr
    assert done.returncode == 3


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["workflow", "describe", "-w", "nobody"], 3),
        (["workflow", "list", "-q", "no query"], 5),
        (["workflow", "start", "--type", "x"], 2),
        (["workflow", "start", "--type", "x", "-t", "y", "-i", "no json"], 2),
        (["workflow", "list", "--command-timeout", "never"], 2),
        (["workflow", "result", "-w", "nobody"], 3),
        (["operator", "namespace", "create", "-n", "default"], 4),
    ],
)
def test_exit_codes_tell_causes_apart(ours: Cli, words: list[str], code: int):
    done = ours.run(*words)
    assert done.returncode == code, done.stderr


def test_a_command_ends_in_time(ours: Cli, queue: str, workflow_id: str):
    ours.text("workflow", "start", "--type", "x", "-t", queue, "-w", workflow_id)
    done = ours.run("workflow", "result", "-w", workflow_id, "--command-timeout", "500ms")
    assert done.returncode == 9
    assert "--command-timeout" in done.stderr
    ours.text("workflow", "terminate", "-w", workflow_id)


def test_options_win_over_variables_and_those_over_profiles(ours: Cli, server: Server, tmp_path):
    path = tmp_path / "profiles.toml"
    nobody = f"127.0.0.1:{free_port()}"
    path.write_text(f'[profile.default]\naddress = "{nobody}"\nnamespace = "from-the-file"\n')
    file = {"TEMPORAL_CONFIG_FILE": str(path), "TEMPORAL_ADDRESS": ""}
    done = ours.run("workflow", "count", **file)
    assert nobody in done.stderr and "from-the-file" in done.stderr
    done = ours.run("workflow", "count", **{**file, "TEMPORAL_ADDRESS": server.address})
    assert "failed step  namespace" in done.stderr
    words = ["workflow", "count", "--address", server.address, "-n", "default"]
    assert ours.run(*words, **file).returncode == 0
    assert ours.run("workflow", "count", "--profile", "none", **file).returncode == 2


def test_the_namespace_completes_the_address(ours: Cli, server: Server):
    port = server.address.rsplit(":", 1)[1]
    words = ["--address", "${namespace}:" + port, "-n", "127.0.0.1"]
    done = ours.run("operator", "cluster", "health", *words)
    assert done.returncode == 0, done.stderr
    assert "SERVING" in done.stdout


def test_options_may_stand_before_the_command(ours: Cli):
    assert ours.text("-o", "json", "operator", "cluster", "health").strip().startswith("{")

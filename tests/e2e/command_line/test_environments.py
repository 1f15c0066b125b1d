"""`env`: options by environment, in a file that the reference writes and reads, too."""

from harness.command_line import Cli
from harness.sdk import unique
from harness.server import Server, free_port


def test_an_environment_that_one_writes_the_other_reads(ours: Cli, theirs: Cli, tmp_path):
    for writer, reader in ((ours, theirs), (theirs, ours)):
        where = ["--env-file", str(tmp_path / f"{unique('file')}.yaml")]
        name = [*where, "--env", "prod"]
        for key, value in (("address", "example:1"), ("namespace", "n"), ("tls-server-name", "s")):
            writer.text("env", "set", "--key", key, "--value", value, *name)
        assert writer.json("env", "get", *name) == reader.json("env", "get", *name)
        one = ["env", "get", "--key", "address", *name]
        assert (
            ours.json(*one) == theirs.json(*one) == [{"property": "address", "value": "example:1"}]
        )
        assert ours.json("env", "list", *where) == theirs.json("env", "list", *where)
        reader.text("env", "delete", "--key", "address", *name)
        assert "address" not in writer.text("env", "get", *name)
        reader.text("env", "delete", *name)
        assert ours.json("env", "list", *where) == theirs.json("env", "list", *where) == []


def test_an_environment_gives_a_command_its_options(
    ours: Cli, theirs: Cli, server: Server, tmp_path
):
    where = ["--env-file", str(tmp_path / "environments.yaml")]
    nobody = f"127.0.0.1:{free_port()}"
    for key, value in (("namespace", "of-the-file"), ("address", nobody), ("limit", "1")):
        theirs.text("env", "set", "--key", key, "--value", value, "--env", "e", *where)
    for cli in (ours, theirs):
        # Stronger than a variable, weaker than an option.
        done = cli.run("workflow", "list", "--env", "e", *where)
        assert done.returncode != 0 and nobody in done.stderr, done.stderr
        words = ["--address", server.address, "-n", "default", "--env", "e", *where]
        assert cli.run("workflow", "list", *words).returncode == 0
        assert cli.run("workflow", "count", *words).returncode == 0
        assert cli.run("workflow", "count", *where).returncode == 0

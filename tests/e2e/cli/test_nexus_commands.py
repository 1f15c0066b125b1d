"""`temporal operator nexus endpoint`."""

from harness.sdk import unique


def test_an_endpoint_is_made_changed_listed_and_removed(cli):
    name = unique("endpoint")
    words = ["operator", "nexus", "endpoint"]
    cli.text(
        *words, "create", "--name", name, "--description", "what for",
        "--target-namespace", "default", "--target-task-queue", "queue",
    )  # fmt: skip
    made = cli.json(*words, "get", "--name", name)
    assert made["spec"]["target"]["worker"] == {"namespace": "default", "taskQueue": "queue"}
    cli.text(*words, "update", "--name", name, "--target-url", "https://host/path")
    listed = [found for found in cli.json(*words, "list") if found["spec"]["name"] == name]
    assert [found["spec"]["target"] for found in listed] == [
        {"external": {"url": "https://host/path"}}
    ]
    cli.text(*words, "delete", "--name", name)
    assert "not found" in cli.fails(*words, "get", "--name", name).lower()

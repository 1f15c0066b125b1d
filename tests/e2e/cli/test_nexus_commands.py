"""`temporal operator nexus endpoint`."""

from harness.sdk import unique

WORDS = ["operator", "nexus", "endpoint"]


def test_an_endpoint_may_point_outside(cli):
    name, url = unique("endpoint"), "http://127.0.0.1:7243/nexus/endpoints/id/services"
    cli.text(*WORDS, "create", "--name", name, "--target-url", url)
    assert cli.json(*WORDS, "get", "--name", name)["spec"]["target"] == {"external": {"url": url}}
    refused = cli.fails(*WORDS, "create", "--name", unique("bad"), "--target-url", "ftp://host")
    assert 'invalid target URL scheme: "ftp"' in refused.replace("\\", "")


def test_an_endpoint_is_made_changed_listed_and_removed(cli):
    name = unique("endpoint")
    cli.text(
        *WORDS, "create", "--name", name, "--description", "what for",
        "--target-namespace", "default", "--target-task-queue", "queue",
    )  # fmt: skip
    made = cli.json(*WORDS, "get", "--name", name)
    assert made["spec"]["target"]["worker"] == {"namespace": "default", "taskQueue": "queue"}
    cli.text(*WORDS, "update", "--name", name, "--target-url", "https://host/path")
    listed = [found for found in cli.json(*WORDS, "list") if found["spec"]["name"] == name]
    assert [found["spec"]["target"] for found in listed] == [
        {"external": {"url": "https://host/path"}}
    ]
    cli.text(*WORDS, "delete", "--name", name)
    assert "not found" in cli.fails(*WORDS, "get", "--name", name).lower()

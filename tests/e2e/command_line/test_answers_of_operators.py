"""Both command lines say the same about what operators keep: endpoints, deployments, queues."""

import functools

from harness.answers import stable
from harness.command_line import Cli
from harness.raw import Raw
from harness.sdk import unique
from harness.versioned import VersionedWorker
from harness.waiting import wait_for_sync

ENDPOINT = ("operator", "nexus", "endpoint")
DEPLOYMENT = ("worker", "deployment")


def test_an_endpoint_is_made_and_read(same, ours: Cli, theirs: Cli, queue: str):
    target = ["--target-namespace", "default", "--target-task-queue", queue]
    for maker, changer in ((ours, theirs), (theirs, ours)):
        name = unique("endpoint")
        maker.text(*ENDPOINT, "create", "--name", name, "--description", "d", *target)
        made = same(*ENDPOINT, "get", "--name", name)
        assert made["spec"]["target"]["worker"]["taskQueue"] == queue
        changer.text(*ENDPOINT, "update", "--name", name, "--unset-description")
        assert "description" not in same(*ENDPOINT, "get", "--name", name)["spec"]
        same(*ENDPOINT, "list", rows=True)
        changer.text(*ENDPOINT, "delete", "--name", name)
        for cli in (ours, theirs):
            assert name in cli.fails(*ENDPOINT, "get", "--name", name)


def test_a_namespace_is_made_changed_and_read(same, ours: Cli, theirs: Cli):
    for maker, changer in ((ours, theirs), (theirs, ours)):
        name = unique("namespace")
        words = ["-n", name, "--retention", "2d", "--description", "d", "--email", "e@x"]
        maker.text("operator", "namespace", "create", *words, "--data", "a=1")
        described = functools.partial(ours.run, "operator", "namespace", "describe", "-n", name)
        wait_for_sync(lambda is_there=described: is_there().returncode == 0, "the namespace")
        shown = same("operator", "namespace", "describe", "-n", name)
        assert shown["namespaceInfo"]["data"] == {"a": "1"}
        changer.text("operator", "namespace", "update", "-n", name, "--retention", "3d")
        same("operator", "namespace", "describe", "-n", name)
    same("operator", "namespace", "list", rows=True)


def test_a_deployment_is_routed_and_read(same, ours: Cli, theirs: Cli, raw: Raw, queue: str):
    worker = VersionedWorker(raw, unique("deployment"), "1").register(queue)
    name = ["--deployment-name", worker.deployment]
    listed = lambda: worker.deployment in ours.text(*DEPLOYMENT, "list")  # noqa: E731
    wait_for_sync(listed, "the deployment is listed")
    version = [*name, "--build-id", "1"]
    steps = [
        ["set-current-version", *version, "--yes"],
        ["set-ramping-version", *version, "--percentage", "25", "--yes"],
        ["set-current-version", *name, "--unversioned", "--yes", "--allow-no-pollers"],
        ["update-version-metadata", *version, "--metadata", 'm="x"'],
        ["manager-identity", "set", *name, "--manager-identity", "boss", "--yes"],
        ["manager-identity", "unset", *name, "--yes"],
    ]
    for index, step in enumerate(steps):
        cli = (ours, theirs)[index % 2]
        # The server may refuse a step: then both command lines still read the same.
        cli.run(*DEPLOYMENT, *step)
        same(*DEPLOYMENT, "describe", "--name", worker.deployment)
        same(*DEPLOYMENT, "describe-version", *version)
    same(*DEPLOYMENT, "describe-version", *version, "--report-task-queue-stats")


def test_a_task_queue_is_limited_and_read(same, both, ours: Cli, theirs: Cli):
    queue = unique("queue")
    kind = ["-t", queue, "--task-queue-type", "activity"]
    settings = [
        ["--queue-rps-limit", "12.5", "--queue-rps-limit-reason", "why"],
        ["--fairness-key-rps-limit-default", "3", "--fairness-key-rps-limit-reason", "fair"],
        ["--fairness-key-weight", "a=2", "--fairness-key-weight", "b=0.5"],
        ["--fairness-key-weight", "a=default"],
        ["--queue-rps-limit", "default"],
    ]
    for index, setting in enumerate(settings):
        answers = []
        for cli in (ours, theirs):
            answer = cli.json("task-queue", "config", "set", *kind, *setting, "--identity", "me")
            answers.append(stable(answer, {}))
        assert answers[0] == answers[1], index
        same("task-queue", "config", "get", *kind)
    same("task-queue", "describe", "-t", queue, "--report-config")
    same("task-queue", "list-partition", "-t", queue)


def test_a_task_queue_is_read_as_in_old_times(same, queue: str):
    words = ["task-queue", "describe", "-t", queue, "--legacy-mode"]
    for kind in ("workflow", "activity"):
        answer = same(*words, "--task-queue-type-legacy", kind, "--report-config")
        assert answer["taskQueues"][0]["partition"] == 0


def test_search_attributes_are_made_and_read(same, ours: Cli, theirs: Cli):
    for maker, remover in ((ours, theirs), (theirs, ours)):
        name = unique("Attribute").replace("-", "")
        words = ["operator", "search-attribute"]
        maker.text(*words, "create", "--name", name, "--type", "Int")
        listed = functools.partial(ours.text, *words, "list")
        wait_for_sync(lambda name=name, listed=listed: name in listed(), "the attribute")
        assert same(*words, "list")["customAttributes"][name]
        remover.text(*words, "remove", "--name", name, "--yes")


def test_what_is_not_there_is_told_by_both(ours: Cli, theirs: Cli):
    for words in (
        [*DEPLOYMENT, "describe", "--name", "nobody"],
        [*DEPLOYMENT, "describe-version", "--deployment-name", "nobody", "--build-id", "1"],
        ["operator", "cluster", "remove", "--name", "nobody"],
        ["batch", "describe", "--job-id", "nobody"],
        ["batch", "terminate", "--job-id", "nobody", "--reason", "r"],
        ["schedule", "describe", "-s", "nobody"],
        ["worker", "describe", "--worker-instance-key", "nobody"],
    ):
        assert theirs.run(*words).returncode == 1, words
        assert ours.run(*words).returncode == 3, words

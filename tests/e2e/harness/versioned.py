"""A worker of one version of a deployment, without an SDK."""

from dataclasses import dataclass

from grpc import RpcError
from temporalio.api.command.v1 import Command
from temporalio.api.deployment.v1 import WorkerDeploymentOptions, WorkerDeploymentVersion
from temporalio.api.enums.v1 import VersioningBehavior, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import VersioningOverride

from harness.raw import POLL_SECONDS, Raw, refusal_of
from harness.waiting import wait_for_sync

PINNED = VersioningBehavior.VERSIONING_BEHAVIOR_PINNED
AUTO_UPGRADE = VersioningBehavior.VERSIONING_BEHAVIOR_AUTO_UPGRADE


SETTLE_SECONDS = 60.0
"""How long a change of the routing may take until all queues know it."""


@dataclass(frozen=True)
class VersionedWorker:
    """Polls, and answers, as one build of one deployment."""

    raw: Raw
    deployment: str
    build_id: str

    @property
    def version(self) -> WorkerDeploymentVersion:
        return WorkerDeploymentVersion(deployment_name=self.deployment, build_id=self.build_id)

    @property
    def legacy(self) -> str:
        """The version as older clients write it."""
        return f"{self.deployment}.{self.build_id}"

    @property
    def options(self) -> WorkerDeploymentOptions:
        return WorkerDeploymentOptions(
            deployment_name=self.deployment,
            build_id=self.build_id,
            worker_versioning_mode=WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED,
        )

    def poll(self, queue: str | TaskQueue, seconds: float = POLL_SECONDS):
        """A workflow task, or an empty answer when none comes."""
        queue = TaskQueue(name=queue) if isinstance(queue, str) else queue
        return self.raw.call(
            "PollWorkflowTaskQueue",
            timeout=seconds,
            task_queue=queue,
            identity=f"worker-{self.build_id}",
            deployment_options=self.options,
        )

    def poll_activity(self, queue: str, seconds: float = POLL_SECONDS):
        """An activity task, or an empty answer when none comes."""
        return self.raw.call(
            "PollActivityTaskQueue",
            timeout=seconds,
            task_queue=TaskQueue(name=queue),
            identity=f"worker-{self.build_id}",
            deployment_options=self.options,
        )

    def complete(self, task, behavior: int, *commands: Command, **fields):
        """Completes a workflow task."""
        return self.raw.complete(
            task,
            *commands,
            deployment_options=self.options,
            versioning_behavior=behavior,
            **fields,
        )

    def gets_nothing(self, queue: str) -> bool:
        """True when a poll that waits a little gets no workflow task."""
        return not self._poll_a_little(self.poll, queue)

    def gets_no_activity(self, queue: str) -> bool:
        """True when a poll that waits a little gets no activity task."""
        return not self._poll_a_little(self.poll_activity, queue)

    def _poll_a_little(self, poll, queue: str | TaskQueue):
        try:
            return poll(queue, seconds=3.0).task_token
        except RpcError as error:
            # A busy machine: the empty answer comes too late.
            assert error.code().name == "DEADLINE_EXCEEDED"
            return b""

    def is_registered(self, queue: str, task_type: int = 1) -> bool:
        """True when the server knows that the version serves the queue."""
        try:
            found = self.raw.call(
                "DescribeWorkerDeploymentVersion", deployment_version=self.version
            )
        except RpcError as error:
            assert refusal_of(error).code == "NOT_FOUND"
            return False
        served = found.worker_deployment_version_info.task_queue_infos
        return any(info.name == queue and info.type == task_type for info in served)

    def register(self, queue: str) -> "VersionedWorker":
        """Polls once for workflow tasks, so that the version is known."""
        self._poll_a_little(self.poll, queue)
        wait_for_sync(lambda: self.is_registered(queue), "the version is registered")
        return self

    def make_current(self, **fields):
        """Makes the version current, in force for the deployment's queues when done."""
        answer = self.raw.call(
            "SetWorkerDeploymentCurrentVersion",
            deployment_name=self.deployment,
            build_id=self.build_id,
            identity="operator",
            **fields,
        )
        wait_for_sync(self._settled, "the routing is in force", SETTLE_SECONDS)
        return answer

    def ramp(self, percentage: float, **fields):
        """Sends a part of the workflows to the version."""
        answer = self.raw.call(
            "SetWorkerDeploymentRampingVersion",
            deployment_name=self.deployment,
            build_id=self.build_id,
            percentage=percentage,
            identity="operator",
            **fields,
        )
        wait_for_sync(self._settled, "the routing is in force", SETTLE_SECONDS)
        return answer

    def _settled(self) -> bool:
        found = self.raw.call("DescribeWorkerDeployment", deployment_name=self.deployment)
        return found.worker_deployment_info.routing_config_update_state == 2


def pinned_to(worker: VersionedWorker) -> VersioningOverride:
    """The override that pins a run to a worker's version."""
    return VersioningOverride(
        pinned=VersioningOverride.PinnedOverride(
            behavior=VersioningOverride.PINNED_OVERRIDE_BEHAVIOR_PINNED, version=worker.version
        )
    )

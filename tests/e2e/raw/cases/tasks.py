"""Calls with a task token or an activity id, and polls, that are refused."""

from temporalio.api.taskqueue.v1 import TaskQueue

from cases import INVALID, LONG, NOT_FOUND, call, on, one_token

ACTIVITY_GONE = "invalid activityID or activity already timed out or invoking workflow is completed"
WRONG_NAMESPACE = "Operation requested with a token from a different namespace."
NO_SUCH_ACTIVITY = (
    "cannot find pending activity with ActivityID no-such, "
    "check workflow execution history for more details"
)

TASKS = [
    *one_token("RespondWorkflowTaskCompleted"),
    *one_token("RespondWorkflowTaskFailed"),
    *one_token("RespondActivityTaskCompleted"),
    *one_token("RespondActivityTaskFailed"),
    *one_token("RespondActivityTaskCanceled"),
    *one_token("RecordActivityTaskHeartbeat"),
    *one_token("RespondQueryTaskCompleted")[:2],
    *[
        on(
            "stale token",
            method,
            "Workflow task not found.",
            lambda scene: {"task_token": scene.stale_workflow_task},
        )
        for method in ("RespondWorkflowTaskCompleted", "RespondWorkflowTaskFailed")
    ],
    on(
        "token of a workflow task",
        "RespondActivityTaskCompleted",
        ACTIVITY_GONE,
        lambda scene: {"task_token": scene.stale_workflow_task},
    ),
    on(
        "token of an activity task",
        "RespondWorkflowTaskCompleted",
        "Workflow task not found.",
        lambda scene: {"task_token": scene.activity_task},
    ),
    *[
        on(
            "token of another namespace",
            method,
            WRONG_NAMESPACE,
            lambda scene, token=token: {
                "namespace": "temporal-system",
                "task_token": getattr(scene, token),
            },
            INVALID,
            None,
        )
        for method, token in [
            ("RespondWorkflowTaskCompleted", "stale_workflow_task"),
            ("RespondActivityTaskCompleted", "activity_task"),
            ("RecordActivityTaskHeartbeat", "activity_task"),
        ]
    ],
    on(
        "unknown namespace",
        "RespondWorkflowTaskCompleted",
        "Namespace nowhere is not found.",
        lambda scene: {"namespace": "nowhere", "task_token": scene.stale_workflow_task},
        NOT_FOUND,
        "NamespaceNotFoundFailure",
    ),
    on(
        "cancellation nobody asked for",
        "RespondActivityTaskCanceled",
        "unable to mark activity as canceled without activity being request canceled first",
        lambda scene: {"task_token": scene.activity_task},
        INVALID,
        None,
    ),
    on(
        "failure of another kind",
        "RespondActivityTaskFailed",
        "Failure must have ApplicationFailureInfo.",
        lambda scene: {
            "task_token": scene.activity_task,
            "failure": {"message": "x", "canceled_failure_info": {}},
        },
        INVALID,
        None,
    ),
    *[
        on(
            "unknown activity",
            method,
            NO_SUCH_ACTIVITY,
            lambda scene: {"workflow_id": scene.busy.workflow_id, "activity_id": "no-such"},
        )
        for method in (
            "RespondActivityTaskCompletedById",
            "RespondActivityTaskFailedById",
            "RespondActivityTaskCanceledById",
            "RecordActivityTaskHeartbeatById",
        )
    ],
    on(
        "unknown workflow",
        "RespondActivityTaskCompletedById",
        "workflow not found for ID: {nobody}",
        lambda scene: {"workflow_id": scene.nobody.workflow_id, "activity_id": "a"},
    ),
    on(
        "closed workflow",
        "RespondActivityTaskCompletedById",
        "workflow execution already completed",
        lambda scene: {"workflow_id": scene.closed.workflow_id, "activity_id": "a"},
    ),
    call(
        "no activity id",
        "RespondActivityTaskCompletedById",
        "ActivityId is not set on request.",
        workflow_id="x",
    ),
    *[
        case
        for method in ("PollWorkflowTaskQueue", "PollActivityTaskQueue")
        for case in (
            call("no queue", method, "taskQueue is not set"),
            call(
                "long queue",
                method,
                "taskQueue length exceeds limit",
                task_queue=TaskQueue(name=LONG),
            ),
            call(
                "long identity",
                method,
                "Identity length exceeds limit.",
                task_queue=TaskQueue(name="x"),
                identity=LONG,
            ),
            call(
                "short deadline",
                method,
                "Context timeout is too short.",
                "FAILED_PRECONDITION",
                task_queue=TaskQueue(name="x"),
                timeout=1.5,
            ),
            call(
                "unknown namespace",
                method,
                "Namespace nowhere is not found.",
                NOT_FOUND,
                "NamespaceNotFoundFailure",
                namespace="nowhere",
                task_queue=TaskQueue(name="x"),
            ),
            call(
                "no namespace",
                method,
                "Namespace is empty.",
                namespace="",
                task_queue=TaskQueue(name="x"),
            ),
        )
    ],
]

import type { DescribeTaskQueue, DescribeWorkflow } from "../../api/types";
import { durationMillis, formatDuration, millis } from "../../time/format";

/** Something that keeps a run from going on, or soon will. */
export interface Finding {
  severity: "blocked" | "warning" | "waiting";
  title: string;
  detail?: string;
  /** What its author wrote about it: shown as text. */
  failure?: string;
  /** Where to look. */
  link?:
    | { tab: "pending" | "workers" | "stack" | "history" | "relationships" }
    | { taskQueue: string };
}

export interface Evidence {
  describe: DescribeWorkflow;
  /** The run's task queue, as workflow and activity workers see it; undefined: not known. */
  workflowPollers?: DescribeTaskQueue | undefined;
  /** By the names of the activities' task queues. */
  activityPollers?: Record<string, DescribeTaskQueue | undefined>;
  now: number;
}

const ATTEMPTS_MANY = 3;
const TASK_WAITS_LONG_MS = 10_000;
const DEADLINE_NEAR_MS = 10 * 60_000;
/** A heartbeat is late when so much of its time-out has gone. */
const HEARTBEAT_LATE = 0.8;

/** Why a run does not go on, the worst first. A run that is closed has no findings. */
export function findings(evidence: Evidence): Finding[] {
  const { describe, workflowPollers, now } = evidence;
  const info = describe.workflowExecutionInfo;
  const open = info.status === "WORKFLOW_EXECUTION_STATUS_RUNNING";
  const paused = info.status === "WORKFLOW_EXECUTION_STATUS_PAUSED";
  if (!open && !paused) return [];
  const found: Finding[] = [];
  const add = (finding: Finding | undefined): void => {
    if (finding) found.push(finding);
  };
  const pause = describe.workflowExtendedInfo?.pauseInfo;
  if (paused || pause) {
    add({
      severity: "blocked",
      title: "The workflow is paused",
      detail: [pause?.identity && `by ${pause.identity}`, pause?.reason].filter(Boolean).join(": "),
    });
  }
  add(workflowTask(evidence));
  const queue = info.taskQueue ?? "";
  if (workflowPollers && (workflowPollers.pollers ?? []).length === 0) {
    add({
      severity: describe.pendingWorkflowTask ? "blocked" : "warning",
      title: `No worker polls the task queue ${queue} for workflow tasks`,
      detail: describe.pendingWorkflowTask
        ? "A workflow task waits for one. Start a worker for this task queue, or correct its name."
        : "The next workflow task will wait until a worker comes.",
      link: { taskQueue: queue },
    });
  }
  for (const activity of describe.pendingActivities ?? []) {
    const name = `${activity.activityType?.name ?? "activity"} (${activity.activityId})`;
    const on = activity.activityOptions?.taskQueue?.name ?? queue;
    const attempt = activity.attempt ?? 1;
    if (activity.paused) {
      add({
        severity: "blocked",
        title: `Activity ${name} is paused`,
        detail: [
          activity.pauseInfo?.manual?.identity && `by ${activity.pauseInfo.manual.identity}`,
          activity.pauseInfo?.manual?.reason,
        ]
          .filter(Boolean)
          .join(": "),
        link: { tab: "pending" },
      });
      continue;
    }
    const pollers = evidence.activityPollers?.[on];
    const waits = activity.state === "PENDING_ACTIVITY_STATE_SCHEDULED";
    if (waits && pollers && (pollers.pollers ?? []).length === 0) {
      add({
        severity: "blocked",
        title: `No worker polls the task queue ${on} for activity ${name}`,
        detail: "Start a worker that has this activity.",
        link: { taskQueue: on },
      });
    }
    if (attempt > 1) {
      const next = millis(activity.nextAttemptScheduleTime);
      const retries =
        next !== undefined && next > now
          ? `next in ${formatDuration(next - now)}`
          : "the next is due";
      const limit = activity.maximumAttempts ? ` of ${activity.maximumAttempts}` : "";
      add({
        severity: attempt >= ATTEMPTS_MANY ? "blocked" : "warning",
        title: `Activity ${name} fails: attempt ${attempt}${limit}${waits ? `, ${retries}` : ""}`,
        ...(activity.lastFailure?.message === undefined
          ? {}
          : { failure: activity.lastFailure.message }),
        link: { tab: "pending" },
      });
    }
    const heartbeat = durationMillis(activity.activityOptions?.heartbeatTimeout);
    const last = millis(activity.lastHeartbeatTime) ?? millis(activity.lastStartedTime);
    if (
      activity.state === "PENDING_ACTIVITY_STATE_STARTED" &&
      heartbeat &&
      last !== undefined &&
      now - last > heartbeat * HEARTBEAT_LATE
    ) {
      add({
        severity: "warning",
        title: `Activity ${name} has not sent a heartbeat for ${formatDuration(now - last)}`,
        detail: `Its heartbeat time-out is ${formatDuration(heartbeat)}.`,
        link: { tab: "pending" },
      });
    }
    const expires = millis(activity.expirationTime);
    if (expires !== undefined && expires - now < DEADLINE_NEAR_MS) {
      add({
        severity: "warning",
        title: `Activity ${name} times out ${when(expires, now)}`,
        detail: "Its schedule-to-close time-out ends then.",
        link: { tab: "pending" },
      });
    }
  }
  for (const operation of describe.pendingNexusOperations ?? []) {
    const name = `${operation.service}.${operation.operation}`;
    if ((operation.attempt ?? 0) > 1 || operation.blockedReason) {
      add({
        severity: "blocked",
        title: operation.blockedReason
          ? `Nexus operation ${name} is blocked: ${operation.blockedReason}`
          : `Nexus operation ${name} fails: attempt ${operation.attempt}`,
        ...(operation.lastAttemptFailure?.message === undefined
          ? {}
          : { failure: operation.lastAttemptFailure.message }),
        link: { tab: "pending" },
      });
    }
  }
  for (const [deadline, what] of [
    [describe.workflowExtendedInfo?.runExpirationTime, "The run's"],
    [describe.workflowExtendedInfo?.executionExpirationTime, "The execution's"],
  ] as const) {
    const at = millis(deadline);
    if (at !== undefined && at - now < DEADLINE_NEAR_MS) {
      add({ severity: "warning", title: `${what} time-out ends ${when(at, now)}` });
    }
  }
  if (describe.workflowExtendedInfo?.cancelRequested) {
    add({
      severity: "warning",
      title: "Cancellation was requested, and the workflow has not closed yet",
      detail: "Its code may be cleaning up, or may ignore the request.",
      link: { tab: "stack" },
    });
  }
  if (found.length === 0) add(waiting(describe));
  const order = { blocked: 0, warning: 1, waiting: 2 };
  return found.sort((a, b) => order[a.severity] - order[b.severity]);
}

const when = (at: number, now: number): string =>
  at <= now ? "now" : `in ${formatDuration(at - now)}`;

function workflowTask({ describe, now }: Evidence): Finding | undefined {
  const task = describe.pendingWorkflowTask;
  if (!task) return undefined;
  const attempt = task.attempt ?? 1;
  if (attempt > 1) {
    return {
      severity: "blocked",
      title: `The workflow task fails: attempt ${attempt}`,
      detail:
        "Usually the worker's code and the history do not fit (non-determinism), or the code has thrown. The last workflow task in the history says why.",
      link: { tab: "history" },
    };
  }
  const since = millis(task.originalScheduledTime) ?? millis(task.scheduledTime);
  if (
    task.state !== "PENDING_WORKFLOW_TASK_STATE_STARTED" &&
    since !== undefined &&
    now - since > TASK_WAITS_LONG_MS
  ) {
    return {
      severity: "blocked",
      title: `A workflow task has waited for a worker for ${formatDuration(now - since)}`,
      link: { tab: "workers" },
    };
  }
  return undefined;
}

/** What an open run without a problem waits for. */
function waiting(describe: DescribeWorkflow): Finding | undefined {
  const activities = describe.pendingActivities?.length ?? 0;
  const children = describe.pendingChildren?.length ?? 0;
  const operations = describe.pendingNexusOperations?.length ?? 0;
  if (activities + children + operations > 0 || describe.pendingWorkflowTask) return undefined;
  return {
    severity: "waiting",
    title: "Nothing is pending: the workflow waits for a timer, a signal or an update",
    detail: "The call stack shows the line of code where it waits.",
    link: { tab: "stack" },
  };
}

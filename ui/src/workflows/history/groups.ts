import type { HistoryEvent, JsonObject, Payload } from "../../api/types";
import { millis } from "../../time/format";
import { attributesOf, eventIdAt, eventNumber, textAt } from "./events";

export type GroupKind =
  | "workflow"
  | "workflow-task"
  | "activity"
  | "local-activity"
  | "timer"
  | "child"
  | "signal"
  | "external-signal"
  | "external-cancel"
  | "update"
  | "nexus"
  | "marker"
  | "other";

export type GroupOutcome =
  | "open"
  | "completed"
  | "failed"
  | "timed-out"
  | "canceled"
  | "terminated"
  /** It happened at once: a signal, a marker. */
  | "instant";

/** Events that tell of one thing: an activity, a timer, a child … */
export interface EventGroup {
  /** The id of its first event. */
  id: number;
  kind: GroupKind;
  name: string;
  summary?: Payload;
  /** Ids of its events, in their order. */
  events: number[];
  start: number;
  /** When somebody began to work on it, if events tell. */
  started?: number;
  end?: number;
  outcome: GroupOutcome;
  attempt?: number;
  failure?: string;
}

interface Role {
  kind: GroupKind;
  /** The attribute that names the group's first event; none: this is it. */
  of?: string;
  outcome?: GroupOutcome;
  started?: boolean;
  name?: (attributes: JsonObject) => string | undefined;
}

const activity = (attributes: JsonObject) => textAt(attributes, "activityType", "name");
const child = (attributes: JsonObject) => textAt(attributes, "workflowType", "name");
const target = (attributes: JsonObject) => textAt(attributes, "workflowExecution", "workflowId");

/** What each type of event is to its group. */
const ROLES: Record<string, Role> = {
  WORKFLOW_TASK_SCHEDULED: { kind: "workflow-task", name: () => "Workflow task" },
  WORKFLOW_TASK_STARTED: { kind: "workflow-task", of: "scheduledEventId", started: true },
  WORKFLOW_TASK_COMPLETED: { kind: "workflow-task", of: "scheduledEventId", outcome: "completed" },
  WORKFLOW_TASK_FAILED: { kind: "workflow-task", of: "scheduledEventId", outcome: "failed" },
  WORKFLOW_TASK_TIMED_OUT: { kind: "workflow-task", of: "scheduledEventId", outcome: "timed-out" },
  ACTIVITY_TASK_SCHEDULED: { kind: "activity", name: activity },
  ACTIVITY_TASK_STARTED: { kind: "activity", of: "scheduledEventId", started: true },
  ACTIVITY_TASK_COMPLETED: { kind: "activity", of: "scheduledEventId", outcome: "completed" },
  ACTIVITY_TASK_FAILED: { kind: "activity", of: "scheduledEventId", outcome: "failed" },
  ACTIVITY_TASK_TIMED_OUT: { kind: "activity", of: "scheduledEventId", outcome: "timed-out" },
  ACTIVITY_TASK_CANCEL_REQUESTED: { kind: "activity", of: "scheduledEventId" },
  ACTIVITY_TASK_CANCELED: { kind: "activity", of: "scheduledEventId", outcome: "canceled" },
  TIMER_STARTED: {
    kind: "timer",
    name: (attributes) => `Timer ${textAt(attributes, "startToFireTimeout") ?? ""}`.trim(),
  },
  TIMER_FIRED: { kind: "timer", of: "startedEventId", outcome: "completed" },
  TIMER_CANCELED: { kind: "timer", of: "startedEventId", outcome: "canceled" },
  START_CHILD_WORKFLOW_EXECUTION_INITIATED: { kind: "child", name: child },
  START_CHILD_WORKFLOW_EXECUTION_FAILED: {
    kind: "child",
    of: "initiatedEventId",
    outcome: "failed",
  },
  CHILD_WORKFLOW_EXECUTION_STARTED: { kind: "child", of: "initiatedEventId", started: true },
  CHILD_WORKFLOW_EXECUTION_COMPLETED: {
    kind: "child",
    of: "initiatedEventId",
    outcome: "completed",
  },
  CHILD_WORKFLOW_EXECUTION_FAILED: { kind: "child", of: "initiatedEventId", outcome: "failed" },
  CHILD_WORKFLOW_EXECUTION_CANCELED: { kind: "child", of: "initiatedEventId", outcome: "canceled" },
  CHILD_WORKFLOW_EXECUTION_TIMED_OUT: {
    kind: "child",
    of: "initiatedEventId",
    outcome: "timed-out",
  },
  CHILD_WORKFLOW_EXECUTION_TERMINATED: {
    kind: "child",
    of: "initiatedEventId",
    outcome: "terminated",
  },
  SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: {
    kind: "external-signal",
    name: (attributes) => `${textAt(attributes, "signalName")} → ${target(attributes) ?? ""}`,
  },
  SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: {
    kind: "external-signal",
    of: "initiatedEventId",
    outcome: "failed",
  },
  EXTERNAL_WORKFLOW_EXECUTION_SIGNALED: {
    kind: "external-signal",
    of: "initiatedEventId",
    outcome: "completed",
  },
  REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: { kind: "external-cancel", name: target },
  REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: {
    kind: "external-cancel",
    of: "initiatedEventId",
    outcome: "failed",
  },
  EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED: {
    kind: "external-cancel",
    of: "initiatedEventId",
    outcome: "completed",
  },
  WORKFLOW_EXECUTION_UPDATE_ACCEPTED: {
    kind: "update",
    name: (attributes) => textAt(attributes, "acceptedRequest", "input", "name"),
  },
  WORKFLOW_EXECUTION_UPDATE_COMPLETED: {
    kind: "update",
    of: "acceptedEventId",
    outcome: "completed",
  },
  WORKFLOW_EXECUTION_SIGNALED: {
    kind: "signal",
    outcome: "instant",
    name: (attributes) => textAt(attributes, "signalName"),
  },
  MARKER_RECORDED: {
    kind: "marker",
    outcome: "instant",
    name: (attributes) => textAt(attributes, "markerName"),
  },
  NEXUS_OPERATION_SCHEDULED: {
    kind: "nexus",
    name: (attributes) => `${textAt(attributes, "service")} ${textAt(attributes, "operation")}`,
  },
  NEXUS_OPERATION_STARTED: { kind: "nexus", of: "scheduledEventId", started: true },
  NEXUS_OPERATION_COMPLETED: { kind: "nexus", of: "scheduledEventId", outcome: "completed" },
  NEXUS_OPERATION_FAILED: { kind: "nexus", of: "scheduledEventId", outcome: "failed" },
  NEXUS_OPERATION_CANCELED: { kind: "nexus", of: "scheduledEventId", outcome: "canceled" },
  NEXUS_OPERATION_TIMED_OUT: { kind: "nexus", of: "scheduledEventId", outcome: "timed-out" },
  NEXUS_OPERATION_CANCEL_REQUESTED: { kind: "nexus", of: "scheduledEventId" },
  NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED: { kind: "nexus", of: "scheduledEventId" },
  NEXUS_OPERATION_CANCEL_REQUEST_FAILED: { kind: "nexus", of: "scheduledEventId" },
  WORKFLOW_EXECUTION_STARTED: { kind: "workflow", name: child },
  WORKFLOW_EXECUTION_COMPLETED: { kind: "workflow", outcome: "completed" },
  WORKFLOW_EXECUTION_FAILED: { kind: "workflow", outcome: "failed" },
  WORKFLOW_EXECUTION_TIMED_OUT: { kind: "workflow", outcome: "timed-out" },
  WORKFLOW_EXECUTION_CANCELED: { kind: "workflow", outcome: "canceled" },
  WORKFLOW_EXECUTION_TERMINATED: { kind: "workflow", outcome: "terminated" },
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: { kind: "workflow", outcome: "completed" },
};

function words(type: string): string {
  const text = type.toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Gathers events into groups, one event at a time and in their order. */
export class Grouper {
  /** In the order of their first events. */
  readonly groups: EventGroup[] = [];
  readonly #byEvent = new Map<number, EventGroup>();

  /** The group that an event belongs to. */
  groupOf(eventId: number): EventGroup | undefined {
    return this.#byEvent.get(eventId);
  }

  push(event: HistoryEvent): void {
    const id = eventNumber(event);
    const type = event.eventType.replace(/^EVENT_TYPE_/, "");
    const time = millis(event.eventTime) ?? 0;
    const attributes = attributesOf(event);
    const role = ROLES[type] ?? { kind: "other" as const, outcome: "instant" as const };
    const first = role.of === undefined ? this.#closes(role, type) : eventIdAt(attributes, role.of);
    const known = first === undefined ? undefined : this.#byEvent.get(first);
    const group = known ?? this.#open(id, role, type, time, attributes);
    if (known) group.events.push(id);
    this.#byEvent.set(id, group);
    if (event.userMetadata?.summary) group.summary = event.userMetadata.summary;
    if (role.started) {
      group.started = time;
      const attempt = Number(textAt(attributes, "attempt") ?? 0);
      if (attempt > 1) group.attempt = attempt;
      const last = textAt(attributes, "lastFailure", "message");
      if (last !== undefined) group.failure = last;
    }
    if (role.outcome !== undefined) {
      group.outcome = role.outcome;
      group.end = time;
      const failure =
        textAt(attributes, "failure", "message") ??
        textAt(attributes, "outcome", "failure", "message") ??
        textAt(attributes, "reason");
      if (failure !== undefined) group.failure = failure;
      if (textAt(attributes, "outcome", "failure", "message") !== undefined)
        group.outcome = "failed";
    }
  }

  /** What closes the workflow belongs to its start. */
  #closes(role: Role, type: string): number | undefined {
    return role.kind === "workflow" && type !== "WORKFLOW_EXECUTION_STARTED"
      ? this.groups[0]?.id
      : undefined;
  }

  #open(id: number, role: Role, type: string, time: number, attributes: JsonObject): EventGroup {
    const local = textAt(attributes, "markerName") === "core_local_activity";
    const group: EventGroup = {
      id,
      kind: local ? "local-activity" : role.kind,
      name: role.name?.(attributes) || words(type),
      events: [id],
      start: time,
      outcome: "open",
    };
    this.groups.push(group);
    return group;
  }
}

/** A word for each kind. */
export const KIND_LABELS: Record<GroupKind, string> = {
  workflow: "Workflow",
  "workflow-task": "Workflow task",
  activity: "Activity",
  "local-activity": "Local activity",
  timer: "Timer",
  child: "Child workflow",
  signal: "Signal",
  "external-signal": "Signal sent",
  "external-cancel": "Cancel sent",
  update: "Update",
  nexus: "Nexus operation",
  marker: "Marker",
  other: "Event",
};

/** Whether the compact views show a group: workflow tasks that went well are of no interest. */
export function isOfInterest(group: EventGroup): boolean {
  return (
    group.kind !== "workflow-task" || group.outcome === "failed" || group.outcome === "timed-out"
  );
}

import { decode, jsonPayload } from "../payloads/decode";
import { prettyJson } from "../payloads/json";
import { durationMillis, formatDuration, parseDuration } from "../time/format";
import {
  type Argument,
  emptyArgument,
  firstError,
  payloadsOf,
} from "../workflows/actions/arguments";
import type { CalendarSpec, Schedule } from "./types";

/** A schedule as the form has it. */
export interface ScheduleForm {
  scheduleId: string;
  workflowId: string;
  type: string;
  taskQueue: string;
  args: Argument[];
  intervals: { every: string; offset: string }[];
  /** Five or more fields of a cron string, one a line. */
  crons: string;
  timezone: string;
  jitter: string;
  startTime: string;
  endTime: string;
  overlap: string;
  catchup: string;
  pauseOnFailure: boolean;
  paused: boolean;
  notes: string;
  limited: string;
  executionTimeout: string;
  memo: string;
}

export const OVERLAP = [
  ["SCHEDULE_OVERLAP_POLICY_SKIP", "Skip the new one"],
  ["SCHEDULE_OVERLAP_POLICY_BUFFER_ONE", "Start one when the open one closes"],
  ["SCHEDULE_OVERLAP_POLICY_BUFFER_ALL", "Start all, one after the other"],
  ["SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER", "Cancel the open one"],
  ["SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER", "Terminate the open one"],
  ["SCHEDULE_OVERLAP_POLICY_ALLOW_ALL", "Start it beside the open one"],
] as const;

export const emptyForm = (): ScheduleForm => ({
  scheduleId: "",
  workflowId: "",
  type: "",
  taskQueue: "",
  args: [emptyArgument()],
  intervals: [{ every: "1h", offset: "" }],
  crons: "",
  timezone: "",
  jitter: "",
  startTime: "",
  endTime: "",
  overlap: OVERLAP[0][0],
  catchup: "",
  pauseOnFailure: false,
  paused: false,
  notes: "",
  limited: "",
  executionTimeout: "",
  memo: "",
});

const shown = (duration: string | undefined): string => {
  const ms = durationMillis(duration) ?? 0;
  if (ms === 0) return "";
  const text = formatDuration(ms);
  // The form must give back what it was given: seconds are exact.
  return durationMillis(parseDuration(text)) === ms ? text.replaceAll(" ", "") : `${ms / 1000}s`;
};

/** Fills in the form from a schedule. Calendars stay as they are: `buildSchedule` takes them over. */
export function formFrom(scheduleId: string, schedule: Schedule): ScheduleForm {
  const action = schedule.action?.startWorkflow;
  const args = (action?.input?.payloads ?? []).map((payload): Argument => {
    const decoded = decode(payload);
    return {
      text:
        decoded.kind === "json" ? prettyJson(decoded.text) : decoded.kind === "null" ? "null" : "",
      encoding: decoded.encoding === "json/protobuf" ? "json/protobuf" : "json/plain",
    };
  });
  const memo = Object.entries(action?.memo?.fields ?? {}).flatMap(([name, payload]) => {
    const decoded = decode(payload);
    return decoded.kind === "json" ? [[name, JSON.parse(decoded.text) as unknown] as const] : [];
  });
  return {
    scheduleId,
    workflowId: action?.workflowId ?? "",
    type: action?.workflowType?.name ?? "",
    taskQueue: action?.taskQueue?.name ?? "",
    args: args.length === 0 ? [emptyArgument()] : args,
    intervals: (schedule.spec?.interval ?? []).map(({ interval, phase }) => ({
      every: shown(interval),
      offset: shown(phase),
    })),
    crons: (schedule.spec?.cronString ?? []).join("\n"),
    timezone: schedule.spec?.timezoneName ?? "",
    jitter: shown(schedule.spec?.jitter),
    startTime: schedule.spec?.startTime ?? "",
    endTime: schedule.spec?.endTime ?? "",
    overlap: schedule.policies?.overlapPolicy ?? OVERLAP[0][0],
    catchup: shown(schedule.policies?.catchupWindow),
    pauseOnFailure: schedule.policies?.pauseOnFailure ?? false,
    paused: schedule.state?.paused ?? false,
    notes: schedule.state?.notes ?? "",
    limited: schedule.state?.limitedActions ? (schedule.state.remainingActions ?? "0") : "",
    executionTimeout: shown(action?.workflowExecutionTimeout),
    memo: memo.length === 0 ? "" : JSON.stringify(Object.fromEntries(memo), null, 2),
  };
}

function duration(text: string, what: string): string | undefined {
  if (text.trim() === "") return undefined;
  const parsed = parseDuration(text);
  if (parsed === undefined) throw new Error(`${what}: \`${text}\` is no duration, as 90s or 1h30m`);
  return parsed;
}

function time(text: string, what: string): string | undefined {
  if (text.trim() === "") return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Error(`${what}: \`${text}\` is no time, as 2026-01-31T08:00:00Z`);
  return new Date(ms).toISOString();
}

/** The schedule of a form; what the form does not show is taken over from `before`. */
export function buildSchedule(
  form: ScheduleForm,
  before: Schedule = {},
  calendars: CalendarSpec[] = before.spec?.structuredCalendar ?? [],
): Schedule {
  const error = firstError(form.args);
  if (error !== undefined) throw new Error(error);
  const crons = form.crons
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const intervals = form.intervals
    .filter(({ every }) => every.trim() !== "")
    .map(({ every, offset }) => ({
      interval: duration(every, "interval"),
      phase: duration(offset, "offset"),
    }));
  if (crons.length + intervals.length + calendars.length === 0) {
    throw new Error("the schedule needs an interval, a calendar or a cron string");
  }
  const action = before.action?.startWorkflow ?? {};
  let memo = action.memo;
  if (form.memo.trim() !== "") {
    const parsed: unknown = JSON.parse(form.memo);
    if (typeof parsed !== "object" || parsed === null) throw new Error("memo: must be an object");
    memo = {
      fields: Object.fromEntries(
        Object.entries(parsed).map(([name, value]) => [name, jsonPayload(JSON.stringify(value))]),
      ),
    };
  }
  const input = payloadsOf(form.args);
  return {
    ...before,
    spec: {
      ...before.spec,
      structuredCalendar: calendars,
      interval: intervals as { interval: string }[],
      cronString: crons,
      timezoneName: form.timezone.trim(),
      ...optional("jitter", duration(form.jitter, "jitter")),
      ...optional("startTime", time(form.startTime, "start")),
      ...optional("endTime", time(form.endTime, "end")),
    },
    action: {
      startWorkflow: {
        ...action,
        workflowId: form.workflowId,
        workflowType: { name: form.type },
        taskQueue: { name: form.taskQueue },
        ...(input.length > 0 ? { input: { payloads: input } } : { input: {} }),
        ...optional(
          "workflowExecutionTimeout",
          duration(form.executionTimeout, "execution time-out"),
        ),
        ...optional("memo", memo),
      },
    },
    policies: {
      ...before.policies,
      overlapPolicy: form.overlap,
      pauseOnFailure: form.pauseOnFailure,
      ...optional("catchupWindow", duration(form.catchup, "catch-up window")),
    },
    state: {
      ...before.state,
      paused: form.paused,
      notes: form.notes,
      limitedActions: form.limited.trim() !== "",
      remainingActions: form.limited.trim() === "" ? "0" : form.limited.trim(),
    },
  };
}

function optional<K extends string, T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  // An empty field takes back what was there.
  return { [key]: value } as Partial<Record<K, T>>;
}

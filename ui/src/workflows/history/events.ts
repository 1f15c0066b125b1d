import type { HistoryEvent, Json, JsonObject, Payload } from "../../api/types";
import { oneLine, payloadsIn } from "../../payloads/decode";

/** `EVENT_TYPE_ACTIVITY_TASK_SCHEDULED` as `ActivityTaskScheduled`. */
export function eventTypeName(event: HistoryEvent): string {
  return event.eventType
    .replace(/^EVENT_TYPE_/, "")
    .split("_")
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join("");
}

/** The same in words: `Activity task scheduled`. */
export function eventTypeWords(event: HistoryEvent): string {
  const words = event.eventType
    .replace(/^EVENT_TYPE_/, "")
    .toLowerCase()
    .replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What an event says beside its id, time and type. */
export function attributesOf(event: HistoryEvent): JsonObject {
  for (const key in event) {
    if (key.endsWith("EventAttributes")) return (event[key] as JsonObject | undefined) ?? {};
  }
  return {};
}

export const eventNumber = (event: HistoryEvent): number => Number(event.eventId);

/** The text at a path of objects. */
export function textAt(value: Json | undefined, ...keys: string[]): string | undefined {
  let at: Json | undefined = value;
  for (const key of keys) {
    if (typeof at !== "object" || at === null || Array.isArray(at)) return undefined;
    at = at[key];
  }
  return typeof at === "string" ? at : typeof at === "number" ? String(at) : undefined;
}

/** The id of an event that an attribute names. */
export function eventIdAt(attributes: JsonObject, key: string): number | undefined {
  const text = textAt(attributes, key);
  const id = text === undefined ? 0 : Number(text);
  return id > 0 ? id : undefined;
}

const LINE_MAX = 160;
const cut = (text: string): string =>
  text.length > LINE_MAX ? `${text.slice(0, LINE_MAX)}…` : text;

/** What is worth reading of an event in one line. */
export function eventLine(event: HistoryEvent): string {
  const attributes = attributesOf(event);
  const name =
    textAt(attributes, "workflowType", "name") ??
    textAt(attributes, "activityType", "name") ??
    textAt(attributes, "signalName") ??
    textAt(attributes, "markerName") ??
    textAt(attributes, "operation") ??
    textAt(attributes, "acceptedRequest", "input", "name") ??
    (textAt(attributes, "timerId") === undefined
      ? undefined
      : `timer ${textAt(attributes, "timerId")}`);
  const failure = textAt(attributes, "failure", "message") ?? textAt(attributes, "reason");
  const value = payloadsIn(attributes.input) ?? payloadsIn(attributes.result);
  const timer = textAt(attributes, "startToFireTimeout");
  const child = textAt(attributes, "workflowExecution", "workflowId");
  return cut(
    [
      name,
      timer === undefined ? undefined : `for ${timer}`,
      child,
      failure,
      value === undefined ? undefined : `(${value.map((one: Payload) => oneLine(one)).join(", ")})`,
    ]
      .filter((part) => part !== undefined && part !== "")
      .join(" "),
  );
}

/** Tones of the types of events. */
export function eventTone(event: HistoryEvent): "good" | "bad" | "warn" | "running" | "calm" {
  const type = event.eventType;
  if (/_(FAILED|TIMED_OUT|REJECTED)$/.test(type)) return "bad";
  if (/_(TERMINATED|CANCELED|CANCEL_REQUESTED|PAUSED)$/.test(type)) return "warn";
  if (/_(COMPLETED|FIRED)$/.test(type) && !type.includes("WORKFLOW_TASK")) return "good";
  if (/_(STARTED|SIGNALED|ACCEPTED)$/.test(type) && !type.includes("WORKFLOW_TASK"))
    return "running";
  return "calm";
}

import type { HistoryEvent } from "../api/types";

/** Older exports name types as `WorkflowExecutionStarted`. */
function eventType(type: string): string {
  if (type.startsWith("EVENT_TYPE_")) return type;
  return `EVENT_TYPE_${type.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase()}`;
}

/** The events of an exported history: `{"events": […]}`, an answer of the API, or a bare list. */
export function readHistory(text: string): HistoryEvent[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`the file is no JSON: ${(error as Error).message}`);
  }
  const holder = parsed as { events?: unknown; history?: { events?: unknown } } | unknown[] | null;
  const events = Array.isArray(holder) ? holder : (holder?.events ?? holder?.history?.events);
  if (!Array.isArray(events) || events.length === 0) {
    throw new Error("the file holds no events of a history");
  }
  return events.map((one: unknown, at) => {
    const event = one as Partial<HistoryEvent> | null;
    if (typeof event !== "object" || event === null || typeof event.eventType !== "string") {
      throw new Error(`entry ${at + 1} of the file is no event`);
    }
    return {
      ...event,
      eventId: String(event.eventId ?? at + 1),
      eventType: eventType(event.eventType),
    } as HistoryEvent;
  });
}

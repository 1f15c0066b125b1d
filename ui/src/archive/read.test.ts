import { expect, it } from "vitest";
import { readHistory } from "./read";

const event = { eventId: "1", eventType: "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED" };

it("a history is read in each form that tools write", () => {
  for (const form of [{ events: [event] }, { history: { events: [event] } }, [event]]) {
    expect(readHistory(JSON.stringify(form))).toEqual([event]);
  }
});

it("older names of types and ids that are numbers are understood", () => {
  expect(readHistory('[{"eventId":3,"eventType":"WorkflowTaskTimedOut"}]')).toEqual([
    { eventId: "3", eventType: "EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT" },
  ]);
});

it.each([
  ["", "no JSON"],
  ["{}", "no events"],
  ['{"events":[]}', "no events"],
  ["null", "no events"],
  ["[17]", "entry 1"],
])("%j is refused: %s", (text, reason) => {
  expect(() => readHistory(text)).toThrow(reason);
});

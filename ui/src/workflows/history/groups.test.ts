import { describe, expect, it } from "vitest";
import type { HistoryEvent, JsonObject } from "../../api/types";
import { Grouper, isOfInterest } from "./groups";

const START = Date.parse("2026-01-01T00:00:00Z");

/** Events a second apart: types and attributes. */
function events(...list: [string, JsonObject?][]): HistoryEvent[] {
  return list.map(([type, attributes = {}], at) => ({
    eventId: String(at + 1),
    eventTime: new Date(START + at * 1000).toISOString(),
    eventType: `EVENT_TYPE_${type}`,
    [`${type.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())}EventAttributes`]:
      attributes,
  }));
}

function grouped(...list: [string, JsonObject?][]) {
  const grouper = new Grouper();
  for (const event of events(...list)) grouper.push(event);
  return grouper;
}

describe("events of one thing are a group", () => {
  const { groups } = grouped(
    ["WORKFLOW_EXECUTION_STARTED", { workflowType: { name: "Order" } }],
    ["WORKFLOW_TASK_SCHEDULED"],
    ["WORKFLOW_TASK_STARTED", { scheduledEventId: "2" }],
    ["WORKFLOW_TASK_COMPLETED", { scheduledEventId: "2", startedEventId: "3" }],
    ["ACTIVITY_TASK_SCHEDULED", { activityType: { name: "charge" }, activityId: "1" }],
    ["TIMER_STARTED", { timerId: "1", startToFireTimeout: "60s" }],
    [
      "ACTIVITY_TASK_STARTED",
      { scheduledEventId: "5", attempt: 3, lastFailure: { message: "again" } },
    ],
    ["WORKFLOW_EXECUTION_SIGNALED", { signalName: "approve" }],
    [
      "ACTIVITY_TASK_FAILED",
      { scheduledEventId: "5", startedEventId: "7", failure: { message: "no card" } },
    ],
    ["TIMER_CANCELED", { timerId: "1", startedEventId: "6" }],
    ["WORKFLOW_EXECUTION_FAILED", { failure: { message: "no money" } }],
  );
  const named = Object.fromEntries(groups.map((group) => [group.name, group]));

  it("in the order of their first events", () => {
    expect(groups.map((group) => group.name)).toEqual([
      "Order",
      "Workflow task",
      "charge",
      "Timer 60s",
      "approve",
    ]);
  });

  it("with the workflow's end beside its start", () => {
    expect(named.Order).toMatchObject({
      events: [1, 11],
      outcome: "failed",
      failure: "no money",
      end: START + 10_000,
    });
  });

  it("with the attempts and the failure of an activity", () => {
    expect(named.charge).toMatchObject({
      kind: "activity",
      events: [5, 7, 9],
      start: START + 4000,
      started: START + 6000,
      end: START + 8000,
      outcome: "failed",
      attempt: 3,
      failure: "no card",
    });
  });

  it("and what happens at once is one, too", () => {
    expect(named.approve).toMatchObject({ kind: "signal", outcome: "instant", events: [8] });
  });
});

it("workflow tasks are of interest when they fail", () => {
  const { groups } = grouped(
    ["WORKFLOW_TASK_SCHEDULED"],
    ["WORKFLOW_TASK_COMPLETED", { scheduledEventId: "1" }],
    ["WORKFLOW_TASK_SCHEDULED"],
    ["WORKFLOW_TASK_FAILED", { scheduledEventId: "3" }],
  );
  expect(groups.map(isOfInterest)).toEqual([false, true]);
});

it("an update whose handler failed has failed", () => {
  const { groups } = grouped(
    ["WORKFLOW_EXECUTION_UPDATE_ACCEPTED", { acceptedRequest: { input: { name: "note" } } }],
    [
      "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
      { acceptedEventId: "1", outcome: { failure: { message: "no" } } },
    ],
  );
  expect(groups).toMatchObject([
    { name: "note", kind: "update", outcome: "failed", failure: "no" },
  ]);
});

it("a type that is not known is a group of its own", () => {
  const { groups } = grouped(["SOMETHING_NEW_HAPPENED", { of: "2" }]);
  expect(groups).toMatchObject([
    { kind: "other", name: "Something new happened", outcome: "instant" },
  ]);
});

it("every event belongs to one group, and 50,000 are gathered in little time", () => {
  const count = 50_000;
  const list: [string, JsonObject?][] = [
    ["WORKFLOW_EXECUTION_STARTED", { workflowType: { name: "Long" } }],
  ];
  for (let id = 2; id < count; id += 2) {
    list.push(
      ["TIMER_STARTED", { timerId: String(id) }],
      ["TIMER_FIRED", { startedEventId: String(id) }],
    );
  }
  const all = events(...list);
  const before = performance.now();
  const grouper = new Grouper();
  for (const event of all) grouper.push(event);
  expect(performance.now() - before).toBeLessThan(10_000);
  expect(grouper.groups.reduce((sum, group) => sum + group.events.length, 0)).toBe(all.length);
  expect(grouper.groupOf(all.length)?.id).toBe(all.length - 1);
});

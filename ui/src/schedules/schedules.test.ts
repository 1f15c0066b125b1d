import { describe, expect, it } from "vitest";
import { jsonPayload } from "../payloads/decode";
import { describeCalendar, describeSpec } from "./describe";
import { buildSchedule, emptyForm, formFrom } from "./form";
import type { Schedule } from "./types";

const FULL: Schedule = {
  spec: {
    interval: [{ interval: "5400s", phase: "90s" }],
    structuredCalendar: [
      { hour: [{ start: 8 }], minute: [{ start: 30 }], dayOfWeek: [{ start: 1, end: 5 }] },
    ],
    jitter: "10s",
    timezoneName: "Europe/Berlin",
  },
  action: {
    startWorkflow: {
      workflowId: "report",
      workflowType: { name: "Report" },
      taskQueue: { name: "reports" },
      input: { payloads: [jsonPayload('{"a":1}')] },
      workflowExecutionTimeout: "3600s",
      retryPolicy: { maximumAttempts: 3 },
    },
  },
  policies: {
    overlapPolicy: "SCHEDULE_OVERLAP_POLICY_BUFFER_ONE",
    catchupWindow: "31536000s",
    pauseOnFailure: true,
  },
  state: { notes: "weekly", limitedActions: true, remainingActions: "7" },
};

describe("the form of a schedule", () => {
  it("gives back what it was filled in with, and keeps what it does not show", () => {
    const again = buildSchedule(formFrom("s", FULL), FULL);
    expect(again.spec).toEqual({
      ...FULL.spec,
      cronString: [],
      startTime: undefined,
      endTime: undefined,
    });
    expect(again.policies).toEqual(FULL.policies);
    expect(again.state).toEqual({ ...FULL.state, paused: false });
    expect(again.action?.startWorkflow).toMatchObject({
      retryPolicy: { maximumAttempts: 3 },
      workflowExecutionTimeout: "3600s",
    });
  });

  it("takes back what was emptied", () => {
    const form = { ...formFrom("s", FULL), jitter: "", limited: "" };
    const changed = buildSchedule(form, FULL);
    expect(changed.spec?.jitter).toBeUndefined();
    expect(changed.state?.limitedActions).toBe(false);
  });

  it("needs a time", () => {
    const form = { ...emptyForm(), intervals: [] };
    expect(() => buildSchedule(form)).toThrow("needs an interval, a calendar or a cron string");
    expect(buildSchedule({ ...form, crons: "0 8 * * *\n\n" }).spec?.cronString).toEqual([
      "0 8 * * *",
    ]);
  });

  it("says what it cannot read", () => {
    expect(() => buildSchedule({ ...emptyForm(), jitter: "much" })).toThrow(
      "jitter: `much` is no duration",
    );
    expect(() => buildSchedule({ ...emptyForm(), startTime: "then" })).toThrow(
      "start: `then` is no time",
    );
    expect(() =>
      buildSchedule({ ...emptyForm(), args: [{ text: "{", encoding: "json/plain" }] }),
    ).toThrow("argument 1");
  });
});

it("a specification is told in words", () => {
  expect(describeSpec(FULL.spec)).toEqual([
    "every 1h 30m, 1m 30s later",
    "at 08:30 on Monday–Friday",
  ]);
  expect(describeSpec({})).toEqual(["never by itself"]);
  const everyDay = {
    hour: [{}],
    minute: [{}],
    dayOfWeek: [{ end: 6 }],
    dayOfMonth: [{ start: 1, end: 31 }],
    month: [{ start: 1, end: 12 }],
  };
  expect(describeCalendar(everyDay)).toBe("at 00:00, every day");
  expect(describeCalendar({ hour: [{ end: 23, step: 2 }], minute: [{ start: 15 }] })).toBe(
    "at hour 0–23 every 2, minute 15, every day",
  );
});

import { describe, expect, it } from "vitest";
import type { DescribeWorkflow } from "../../api/types";
import { findings } from "./analysis";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const at = (ms: number): string => new Date(NOW + ms).toISOString();
const POLLED = { pollers: [{ identity: "w" }] };

const open = (more: Partial<DescribeWorkflow> = {}): DescribeWorkflow => ({
  workflowExecutionInfo: {
    execution: { workflowId: "w" },
    status: "WORKFLOW_EXECUTION_STATUS_RUNNING",
    taskQueue: "orders",
  },
  ...more,
});
const titles = (describe: DescribeWorkflow, more = {}): string[] =>
  findings({ describe, workflowPollers: POLLED, now: NOW, ...more }).map(({ title }) => title);

describe("why a run does not go on", () => {
  it("has no answer when it is closed", () => {
    const closed = open();
    closed.workflowExecutionInfo.status = "WORKFLOW_EXECUTION_STATUS_COMPLETED";
    expect(titles(closed, { workflowPollers: {} })).toEqual([]);
  });

  it("says that nothing is pending", () => {
    expect(findings({ describe: open(), workflowPollers: POLLED, now: NOW })).toMatchObject([
      { severity: "waiting", link: { tab: "stack" } },
    ]);
  });

  it("names a task queue that nobody polls, and is worse when a task waits there", () => {
    const idle = findings({ describe: open(), workflowPollers: {}, now: NOW });
    expect(idle).toMatchObject([{ severity: "warning", link: { taskQueue: "orders" } }]);
    const waiting = open({
      pendingWorkflowTask: { attempt: 1, originalScheduledTime: at(-60_000) },
    });
    const found = findings({ describe: waiting, workflowPollers: {}, now: NOW });
    expect(found.map(({ severity }) => severity)).toEqual(["blocked", "blocked"]);
    expect(found.map(({ title }) => title)).toEqual([
      "A workflow task has waited for a worker for 1m",
      "No worker polls the task queue orders for workflow tasks",
    ]);
  });

  it("says nothing of pollers as long as they are not known", () => {
    expect(titles(open(), { workflowPollers: undefined })).toHaveLength(1);
  });

  it("names attempts that grow, with the failure and the next one", () => {
    const failing = open({
      pendingActivities: [
        {
          activityId: "7",
          activityType: { name: "charge" },
          state: "PENDING_ACTIVITY_STATE_SCHEDULED",
          attempt: 4,
          maximumAttempts: 5,
          nextAttemptScheduleTime: at(30_000),
          lastFailure: { message: "no card" },
        },
      ],
    });
    expect(findings({ describe: failing, workflowPollers: POLLED, now: NOW })).toMatchObject([
      {
        severity: "blocked",
        title: "Activity charge (7) fails: attempt 4 of 5, next in 30s",
        failure: "no card",
      },
    ]);
  });

  it("names an activity whose own task queue nobody polls", () => {
    const waiting = open({
      pendingActivities: [
        {
          activityId: "1",
          state: "PENDING_ACTIVITY_STATE_SCHEDULED",
          activityOptions: { taskQueue: { name: "gpu" } },
        },
      ],
    });
    expect(titles(waiting, { activityPollers: { gpu: {} } })).toEqual([
      "No worker polls the task queue gpu for activity activity (1)",
    ]);
    expect(titles(waiting, { activityPollers: { gpu: POLLED } })).toEqual([]);
  });

  it("names late heartbeats and deadlines that come near", () => {
    const late = open({
      pendingActivities: [
        {
          activityId: "1",
          activityType: { name: "copy" },
          state: "PENDING_ACTIVITY_STATE_STARTED",
          lastHeartbeatTime: at(-9_000),
          expirationTime: at(60_000),
          activityOptions: { heartbeatTimeout: "10s" },
        },
      ],
      workflowExtendedInfo: {
        runExpirationTime: at(120_000),
        executionExpirationTime: "0001-01-01T00:00:00Z",
      },
    });
    expect(titles(late)).toEqual([
      "Activity copy (1) has not sent a heartbeat for 9s",
      "Activity copy (1) times out in 1m",
      "The run's time-out ends in 2m",
    ]);
  });

  it("names a workflow task that fails again and again", () => {
    const [first] = titles(open({ pendingWorkflowTask: { attempt: 12 } }));
    expect(first).toBe("The workflow task fails: attempt 12");
  });

  it("names pauses", () => {
    const paused = open({
      workflowExtendedInfo: { pauseInfo: { identity: "ann", reason: "audit" } },
    });
    expect(findings({ describe: paused, workflowPollers: POLLED, now: NOW })[0]).toMatchObject({
      title: "The workflow is paused",
      detail: "by ann: audit",
    });
  });
});

/** Activities: results, retries, time-outs, heartbeats, cancellation, and ends from outside. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WorkflowFailedError } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { tokens } from './activities';
import { Harness, only, waitFor } from './harness';
import { executable } from './server';
import * as workflows from './workflows';

let harness: Harness;
before(async () => {
  harness = await Harness.start();
});
after(() => harness.stop());

const ONE_ACTIVITY = 'Started WorkflowTask Activity WorkflowTask Completed';

async function activityFailureOf(result: Promise<unknown>): Promise<ActivityFailure> {
  try {
    await result;
  } catch (error) {
    assert.ok(error instanceof WorkflowFailedError, `${error}`);
    assert.ok(error.cause instanceof ActivityFailure);
    return error.cause;
  }
  throw new Error('the workflow did not fail');
}

test('an activity gives its result', () =>
  harness.run(workflows.doubles, [21, 1], async (handle) => {
    assert.equal(await handle.result(), 42);
    await harness.assertHistory(handle, ONE_ACTIVITY);
  }));

test('ten activities in sequence', () =>
  harness.run(workflows.doubles, [1, 10], async (handle) => {
    assert.equal(await handle.result(), 1024);
    const steps = 'Activity WorkflowTask '.repeat(10);
    await harness.assertHistory(handle, `Started WorkflowTask ${steps}Completed`);
  }));

test('attempts that failed leave one started event', () =>
  harness.run(workflows.retries, [3], async (handle) => {
    assert.equal(await handle.result(), 3);
    const events = await harness.assertHistory(handle, ONE_ACTIVITY);
    const started = only<{ attempt: number; lastFailure: { message: string } }>(
      events,
      'activityTaskStartedEventAttributes',
    );
    assert.equal(started.attempt, 3);
    assert.equal(started.lastFailure.message, 'attempt 2');
  }));

for (const [name, workflow, args, type, state] of [
  ['used up attempts', workflows.retries, [9], 'NotYet', 'MAXIMUM_ATTEMPTS_REACHED'],
  ['a non-retryable failure', workflows.callsWhatFails, [], 'Never', 'NON_RETRYABLE_FAILURE'],
] as const) {
  test(`${name} end the activity`, () =>
    harness.run(workflow, [...args], async (handle) => {
      const failure = await activityFailureOf(handle.result());
      assert.equal(failure.retryState, state);
      assert.ok(failure.cause instanceof ApplicationFailure);
      assert.equal(failure.cause.type, type);
      await harness.assertHistory(
        handle,
        'Started WorkflowTask ActivityTaskScheduled ActivityTaskStarted ActivityTaskFailed ' +
          'WorkflowTask Failed',
      );
    }));
}

test('a failure names the delay of the next attempt', () =>
  harness.run(workflows.waitsAsTold, [], async (handle) => {
    assert.equal(await handle.result(), 2);
    await harness.assertHistory(handle, ONE_ACTIVITY);
  }));

for (const [kind, type, started] of [
  ['startToClose', 'START_TO_CLOSE', ' ActivityTaskStarted'],
  ['heartbeat', 'HEARTBEAT', ' ActivityTaskStarted'],
  ['scheduleToStart', 'SCHEDULE_TO_START', ''],
] as const) {
  test(`the ${kind} timeout fails the activity`, () =>
    harness.run(workflows.timesOut, [kind], async (handle) => {
      const { cause } = await activityFailureOf(handle.result());
      assert.ok(cause instanceof TimeoutFailure);
      assert.equal(cause.timeoutType, type);
      if (kind === 'heartbeat') assert.equal(cause.lastHeartbeatDetails, 'alive');
      await harness.assertHistory(
        handle,
        `Started WorkflowTask ActivityTaskScheduled${started} ActivityTaskTimedOut WorkflowTask Failed`,
      );
    }));
}

test('the next attempt gets the details of the last heartbeat', () =>
  harness.run(workflows.resumes, [], async (handle) => {
    assert.deepEqual(await handle.result(), [2, 'reached']);
    await harness.assertHistory(handle, ONE_ACTIVITY);
  }));

test('a running activity is cancelled through its heartbeat', () =>
  harness.run(workflows.cancelsItsActivity, [], async (handle) => {
    await waitFor(async () => {
      const { raw } = await handle.describe();
      return raw.pendingActivities?.some((pending) => pending.heartbeatDetails?.payloads?.length);
    }, "the activity's heartbeat");
    await handle.cancel();
    assert.equal(await handle.result(), 'activity cancelled');
    await harness.assertHistory(
      handle,
      'Started WorkflowTask ActivityTaskScheduled CancelRequested WorkflowTask ' +
        'ActivityTaskCancelRequested ActivityTaskStarted ActivityTaskCanceled WorkflowTask Completed',
    );
  }));

test('an activity is completed from outside by its token', () =>
  harness.run(workflows.waitsForOutside, [], async (handle) => {
    const token = await waitFor(async () => tokens.get(handle.workflowId), 'the token');
    await harness.client.activity.complete(token, 'from outside');
    assert.equal(await handle.result(), 'from outside');
    await harness.assertHistory(handle, ONE_ACTIVITY);
  }));

test('a local activity is one marker', () =>
  harness.run(workflows.callsLocally, [], async (handle) => {
    assert.equal(await handle.result(), 42);
    const events = await harness.assertHistory(
      handle,
      'Started WorkflowTask MarkerRecorded Completed',
    );
    const marker = only<{ markerName: string }>(events, 'markerRecordedEventAttributes');
    assert.equal(marker.markerName, 'core_local_activity');
  }));

test("the SDK's own environment starts the server", async () => {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path: executable() } },
  });
  try {
    const taskQueue = harness.unique('queue');
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      workflowsPath: require.resolve('./workflows'),
      taskQueue,
    });
    const result = await worker.runUntil(
      environment.client.workflow.execute(workflows.greets, {
        taskQueue,
        workflowId: harness.unique('workflow'),
        args: ['environment'],
      }),
    );
    assert.equal(result, 'hello environment');
  } finally {
    await environment.teardown();
  }
});

test('the health service says serving', async () => {
  const { status } = await harness.connection.healthService.check({
    service: 'temporal.api.workflowservice.v1.WorkflowService',
  });
  assert.equal(status, 1);
});

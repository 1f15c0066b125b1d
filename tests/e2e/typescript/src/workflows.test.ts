/** Workflows: how they start, wait, are told and asked things, and end. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  QueryNotRegisteredError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { Harness, only, waitFor } from './harness';
import * as workflows from './workflows';

let harness: Harness;
before(async () => {
  harness = await Harness.start();
});
after(() => harness.stop());

async function causeOf(result: Promise<unknown>): Promise<Error | undefined> {
  try {
    await result;
  } catch (error) {
    assert.ok(error instanceof WorkflowFailedError, `${error}`);
    return error.cause;
  }
  throw new Error('the workflow did not fail');
}

for (const maxCachedWorkflows of [0, 1000]) {
  test(`a workflow gives its result with ${maxCachedWorkflows} cached runs`, async () => {
    const taskQueue = harness.unique('queue');
    const body = async (): Promise<void> => {
      const handle = await harness.client.workflow.start(workflows.greets, {
        taskQueue,
        workflowId: harness.unique('workflow'),
        args: ['you'],
      });
      assert.equal(await handle.result(), 'hello you');
      await harness.assertHistory(handle, 'Started WorkflowTask Completed');
    };
    await harness.withWorker(taskQueue, body, { maxCachedWorkflows });
  });
}

test('a child gives its result', () =>
  harness.run(workflows.adopts, ['you'], async (handle) => {
    assert.equal(await handle.result(), 'hello you');
    await harness.assertHistory(
      handle,
      'Started WorkflowTask StartChildWorkflowExecutionInitiated ChildWorkflowExecutionStarted ' +
        'WorkflowTask ChildWorkflowExecutionCompleted WorkflowTask Completed',
    );
  }));

test('a failed workflow gives its failure', () =>
  harness.run(workflows.fails, [], async (handle) => {
    const cause = await causeOf(handle.result());
    assert.ok(cause instanceof ApplicationFailure);
    assert.deepEqual([cause.message, cause.type, cause.details], ['as told', 'Told', ['detail']]);
    await harness.assertHistory(handle, 'Started WorkflowTask Failed');
  }));

test('a timer fires', () =>
  harness.run(workflows.sleeps, [150], async (handle) => {
    await handle.result();
    await harness.assertHistory(
      handle,
      'Started WorkflowTask TimerStarted TimerFired WorkflowTask Completed',
    );
  }));

test('a cancelled timer never fires', () =>
  harness.run(workflows.cancelsATimer, [], async (handle) => {
    assert.equal(await handle.result(), 'cancelled');
    await harness.assertHistory(
      handle,
      'Started WorkflowTask TimerStarted TimerStarted TimerFired WorkflowTask TimerCanceled Completed',
    );
  }));

test('signals and queries see each other in order', () =>
  harness.run(workflows.counts, [], async (handle) => {
    await harness.waitUntilIdle(handle);
    assert.equal(await handle.query(workflows.total), 0);
    await handle.signal(workflows.add, 5);
    await harness.waitUntilIdle(handle, 2);
    assert.equal(await handle.query(workflows.total), 5);
    await handle.signal(workflows.finish);
    assert.equal(await handle.result(), 5);
    assert.equal(await handle.query(workflows.total), 5);
    await harness.assertHistory(
      handle,
      'Started WorkflowTask Signaled WorkflowTask Signaled WorkflowTask Completed',
    );
  }));

test('a query that fails or is unknown tells why', () =>
  harness.run(workflows.counts, [], async (handle) => {
    await harness.waitUntilIdle(handle);
    await assert.rejects(handle.query(workflows.broken), /cannot answer/);
    await assert.rejects(handle.query('no-such-query'), QueryNotRegisteredError);
    await handle.terminate();
  }));

test('a signal with start of a new run comes with its first workflow task', async () => {
  const taskQueue = harness.unique('queue');
  const handle = await harness.client.workflow.signalWithStart(workflows.counts, {
    taskQueue,
    workflowId: harness.unique('workflow'),
    signal: workflows.add,
    signalArgs: [7],
  });
  await handle.signal(workflows.finish);
  await harness.withWorker(taskQueue, async () => assert.equal(await handle.result(), 7));
  await harness.assertHistory(
    handle,
    'Started Signaled WorkflowTaskScheduled Signaled WorkflowTaskStarted WorkflowTaskCompleted Completed',
  );
});

test('a run goes on with another worker', async () => {
  const taskQueue = harness.unique('queue');
  const handle = await harness.client.workflow.start(workflows.counts, {
    taskQueue,
    workflowId: harness.unique('workflow'),
  });
  await harness.withWorker(taskQueue, async () => {
    await handle.signal(workflows.add, 1);
    await harness.waitUntilIdle(handle);
    assert.equal(await handle.query(workflows.total), 1);
  });
  await handle.signal(workflows.add, 2);
  await harness.withWorker(taskQueue, async () => {
    assert.equal(await handle.query(workflows.total), 3);
    await handle.signal(workflows.finish);
    assert.equal(await handle.result(), 3);
  });
});

test('an unhandled cancellation cancels the run', () =>
  harness.run(workflows.waitsForEver, [], async (handle) => {
    await harness.waitUntilIdle(handle);
    await handle.cancel();
    assert.ok((await causeOf(handle.result())) instanceof CancelledFailure);
    await harness.assertHistory(
      handle,
      'Started WorkflowTask CancelRequested WorkflowTask Canceled',
    );
  }));

test('a handled cancellation lets the workflow clean up', () =>
  harness.run(workflows.cleansUp, [], async (handle) => {
    await harness.waitUntilIdle(handle);
    await handle.cancel();
    assert.equal(await handle.result(), 'cleaned up');
    await harness.assertHistory(
      handle,
      'Started WorkflowTask TimerStarted CancelRequested WorkflowTask TimerCanceled TimerStarted ' +
        'TimerFired WorkflowTask Completed',
    );
  }));

test('a termination ends the run with its reason', () =>
  harness.run(workflows.waitsForEver, [], async (handle) => {
    await harness.waitUntilIdle(handle);
    await handle.terminate('enough');
    const cause = await causeOf(handle.result());
    assert.ok(cause instanceof TerminatedFailure);
    assert.equal(cause.message, 'enough');
    await harness.assertHistory(handle, 'Started WorkflowTask Terminated');
    await assert.rejects(handle.terminate(), WorkflowNotFoundError);
  }));

test('a run timeout ends the run', () =>
  harness.run(
    workflows.waitsForEver,
    [],
    async (handle) => {
      assert.ok((await causeOf(handle.result())) instanceof TimeoutFailure);
      await harness.assertHistory(handle, 'Started WorkflowTask TimedOut');
    },
    { workflowRunTimeout: '1s' },
  ));

test('continue-as-new chains runs and result follows them', () =>
  harness.run(workflows.countsDown, [2], async (handle) => {
    const first = harness.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
    assert.equal(await handle.result(), handle.firstExecutionRunId);
    await harness.assertHistory(first, 'Started WorkflowTask ContinuedAsNew');
  }));

test('a failing workflow retries as its policy says', () =>
  harness.run(
    workflows.succeedsAtTheThirdAttempt,
    [],
    async (handle) => assert.equal(await handle.result(), 3),
    { retry: { initialInterval: '20ms' } },
  ));

test('an exception in workflow code fails the task and not the run', () =>
  harness.run(workflows.failsItsFirstTask, [], async (handle) => {
    assert.equal(await handle.result(), 'fixed');
    assert.deepEqual(
      await harness.historyOf(handle),
      'WorkflowExecutionStarted WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskFailed '
        .concat('WorkflowTaskScheduled WorkflowTaskStarted WorkflowTaskCompleted ')
        .concat('WorkflowExecutionCompleted')
        .split(' '),
    );
  }));

test('upserts show in the description and in lists', () =>
  harness.run(workflows.upserts, [], async (handle) => {
    await handle.result();
    const described = await handle.describe();
    assert.deepEqual(described.memo, { added: 2 });
    assert.deepEqual(described.searchAttributes['CustomKeywordField'], ['upserted']);
    await harness.assertHistory(
      handle,
      'Started WorkflowTask WorkflowPropertiesModified UpsertWorkflowSearchAttributes TimerStarted ' +
        'TimerFired WorkflowTask Completed',
    );
    const query = `WorkflowId = '${handle.workflowId}' AND CustomKeywordField = 'upserted'`;
    await waitFor(
      async () => (await harness.client.workflow.count(`${query} AND ExecutionStatus = 'Completed'`)).count === 1,
      'the run in the count',
    );
    const listed = [];
    for await (const found of harness.client.workflow.list({ query })) listed.push(found);
    assert.deepEqual(
      listed.map((found) => [found.workflowId, found.status.name, found.type]),
      [[handle.workflowId, 'COMPLETED', 'upserts']],
    );
  }));

test('a patch is a marker', () =>
  harness.run(workflows.isPatched, [], async (handle) => {
    assert.equal(await handle.result(), 'new');
    const events = await harness.assertHistory(
      handle,
      'Started WorkflowTask MarkerRecorded UpsertWorkflowSearchAttributes TimerStarted TimerFired ' +
        'WorkflowTask Completed',
    );
    const marker = only<{ markerName: string }>(events, 'markerRecordedEventAttributes');
    assert.equal(marker.markerName, 'core_patch');
  }));

test('an id in use is refused, replaced or reused as the policies say', async () => {
  const taskQueue = harness.unique('queue');
  const workflowId = harness.unique('workflow');
  const start = (options: object): Promise<WorkflowHandle<typeof workflows.greets>> =>
    harness.client.workflow.start(workflows.greets, {
      taskQueue,
      workflowId,
      args: ['x'],
      ...options,
    });
  const first = await start({});
  await assert.rejects(start({}), WorkflowExecutionAlreadyStartedError);
  const same = (await start({ workflowIdConflictPolicy: 'USE_EXISTING' })) as typeof first;
  assert.equal(
    (await same.describe()).runId,
    (await first.describe()).runId,
  );
  await start({ workflowIdConflictPolicy: 'TERMINATE_EXISTING' });
  await harness.withWorker(taskQueue, () => harness.client.workflow.result(workflowId));
  await assert.rejects(
    start({ workflowIdReusePolicy: 'REJECT_DUPLICATE' }),
    WorkflowExecutionAlreadyStartedError,
  );
  await assert.rejects(
    start({ workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' }),
    WorkflowExecutionAlreadyStartedError,
  );
  const last = await start({ workflowIdReusePolicy: 'ALLOW_DUPLICATE' });
  await last.terminate();
});

test('an unknown workflow is not found', async () => {
  const unknown = harness.client.workflow.getHandle(harness.unique('nobody'));
  await assert.rejects(unknown.describe(), WorkflowNotFoundError);
  await assert.rejects(unknown.signal('x'), WorkflowNotFoundError);
  await assert.rejects(unknown.query('x'), WorkflowNotFoundError);
});

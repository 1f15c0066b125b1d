/** The SDK's time-skipping environment, with the server in place of the SDK's own test server. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import * as activities from './activities';
import { executable } from './server';
import * as workflows from './workflows';

const DAY = 24 * 3600 * 1000;
const AT_ONCE_MILLISECONDS = 3_000;

// The reference's test server is another program.
const skip = !executable().includes('longtide');

let environment: TestWorkflowEnvironment;
let bundle: Awaited<ReturnType<typeof bundleWorkflowCode>>;

before(async () => {
  if (skip) return;
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  bundle = await bundleWorkflowCode({
    workflowsPath: require.resolve('./workflows'),
    logger: new DefaultLogger('ERROR'),
  });
  environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: executable() } },
  });
});
after(() => environment?.teardown());

async function withWorker<T>(taskQueue: string, body: () => Promise<T>): Promise<T> {
  const connection = environment.nativeConnection;
  const worker = await Worker.create({ connection, workflowBundle: bundle, activities, taskQueue });
  return worker.runUntil(body);
}

/** How far the server's time is ahead, in days. */
async function ahead(): Promise<number> {
  return Math.round((Number(await environment.currentTimeMs()) - Date.now()) / DAY);
}

test('a workflow that sleeps a month ends at once', { skip }, async () => {
  const before = await ahead();
  await withWorker('month', async () => {
    const started = Date.now();
    await environment.client.workflow.execute(workflows.sleeps, {
      taskQueue: 'month',
      workflowId: 'month',
      args: [30 * DAY],
    });
    assert.ok(Date.now() - started < AT_ONCE_MILLISECONDS);
  });
  assert.equal(await ahead(), before + 30);
});

test('a sleep of the test moves time by as much and no more', { skip }, async () => {
  const before = await ahead();
  await withWorker('week', async () => {
    const handle = await environment.client.workflow.start(workflows.sleeps, {
      taskQueue: 'week',
      workflowId: 'week',
      args: [7 * DAY],
    });
    await environment.sleep(2 * DAY);
    assert.equal(await ahead(), before + 2);
    assert.equal((await handle.describe()).status.name, 'RUNNING');
    await handle.result();
  });
  assert.equal(await ahead(), before + 7);
});

/** What every test uses: a client, workers, and histories as lists of event names. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  Client,
  Connection,
  type Workflow,
  type WorkflowHandle,
  type WorkflowHandleWithStartDetails,
  type WorkflowStartOptions,
} from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
  type WorkflowBundle,
} from '@temporalio/worker';
import * as activities from './activities';
import { Server } from './server';

const PATIENCE_MILLISECONDS = 20_000;

const TASK = ['WorkflowTaskScheduled', 'WorkflowTaskStarted', 'WorkflowTaskCompleted'];
const ABBREVIATIONS: Record<string, string[]> = {
  Started: ['WorkflowExecutionStarted'],
  WorkflowTask: TASK,
  Activity: ['ActivityTaskScheduled', 'ActivityTaskStarted', 'ActivityTaskCompleted'],
  Signaled: ['WorkflowExecutionSignaled'],
  CancelRequested: ['WorkflowExecutionCancelRequested'],
  Completed: ['WorkflowExecutionCompleted'],
  Failed: ['WorkflowExecutionFailed'],
  Canceled: ['WorkflowExecutionCanceled'],
  Terminated: ['WorkflowExecutionTerminated'],
  TimedOut: ['WorkflowExecutionTimedOut'],
  ContinuedAsNew: ['WorkflowExecutionContinuedAsNew'],
};

/** The event names that a sequence written with abbreviations stands for. */
export function expected(words: string): string[] {
  return words.split(/\s+/).flatMap((word) => ABBREVIATIONS[word] ?? [word]);
}

/** The attributes of the one event that has attributes of this name. */
export function only<T>(events: readonly object[], name: string): T {
  const found = events.map((event) => (event as Record<string, unknown>)[name]).filter(Boolean);
  assert.equal(found.length, 1, `${found.length} events with ${name}`);
  return found[0] as T;
}

function eventName(event: object): string {
  const key = Object.keys(event).find((name) => name.endsWith('EventAttributes'));
  assert.ok(key, 'an event without attributes');
  const name = key.replace(/EventAttributes$/, '');
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** Calls `look` until it answers something true, and gives that answer. */
export async function waitFor<T>(look: () => Promise<T>, what: string): Promise<NonNullable<T>> {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await pause(20); // between two looks at a condition
  }
}

/** A server, a client, and what workers need; one for each test file. */
export class Harness {
  private constructor(
    readonly server: Server,
    readonly client: Client,
    readonly connection: Connection,
    private readonly native: NativeConnection,
    private readonly bundle: WorkflowBundle,
  ) {}

  static async start(): Promise<Harness> {
    Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
    const server = await Server.start();
    const connection = await Connection.connect({ address: server.address });
    const native = await NativeConnection.connect({ address: server.address });
    const bundle = await bundleWorkflowCode({
      workflowsPath: require.resolve('./workflows'),
      logger: new DefaultLogger('ERROR'),
    });
    return new Harness(server, new Client({ connection }), connection, native, bundle);
  }

  async stop(): Promise<void> {
    await this.native.close();
    await this.connection.close();
    await this.server.kill();
  }

  /** A name that no other test uses, for a task queue or a workflow. */
  unique(prefix: string): string {
    return `${prefix}-${randomUUID()}`;
  }

  /** Runs `body` while a worker serves the queue. */
  async withWorker<T>(
    taskQueue: string,
    body: () => Promise<T>,
    options: Partial<WorkerOptions> = {},
  ): Promise<T> {
    const worker = await Worker.create({
      connection: this.native,
      workflowBundle: this.bundle,
      activities,
      taskQueue,
      maxHeartbeatThrottleInterval: '50ms',
      ...options,
    });
    return worker.runUntil(body);
  }

  /** Starts a workflow on a queue of its own and runs `body` beside a worker of that queue. */
  async run(
    workflow: Workflow,
    args: unknown[],
    body: (handle: WorkflowHandleWithStartDetails<Workflow>) => Promise<void>,
    options: Partial<WorkflowStartOptions> = {},
  ): Promise<void> {
    const taskQueue = this.unique('queue');
    const workflowId = this.unique('workflow');
    await this.withWorker(taskQueue, async () => {
      await body(
        await this.client.workflow.start(workflow, { ...options, taskQueue, workflowId, args }),
      );
    });
  }

  /** The event names of a run so far. */
  async historyOf(handle: WorkflowHandle): Promise<string[]> {
    const { events } = await handle.fetchHistory();
    return (events ?? []).map(eventName);
  }

  /** Returns once the run has no outstanding workflow task and has completed this many. */
  async waitUntilIdle(handle: WorkflowHandle, tasks = 1): Promise<void> {
    await waitFor(async () => {
      const names = await this.historyOf(handle);
      const completed = names.filter((name) => name === 'WorkflowTaskCompleted').length;
      const scheduled = names.filter((name) => name === 'WorkflowTaskScheduled').length;
      return completed >= tasks && scheduled === completed;
    }, `${tasks} workflow tasks of ${handle.workflowId}`);
  }

  /** The run's events are exactly `sequence`, and they replay without error. */
  async assertHistory(handle: WorkflowHandle, sequence: string): Promise<object[]> {
    const history = await handle.fetchHistory();
    const events = history.events ?? [];
    assert.deepEqual(events.map(eventName), expected(sequence));
    await Worker.runReplayHistory({ workflowBundle: this.bundle }, history, handle.workflowId);
    return events;
  }
}

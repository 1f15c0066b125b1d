/** The activities of the tests. */

import { ApplicationFailure, CompleteAsyncError, Context, heartbeat, sleep } from '@temporalio/activity';

/** Tokens of activities that are completed from outside, by workflow id. */
export const tokens = new Map<string, Uint8Array>();

export async function double(number: number): Promise<number> {
  return number * 2;
}

export async function failUntil(succeedingAttempt: number): Promise<number> {
  const { attempt } = Context.current().info;
  if (attempt < succeedingAttempt) {
    throw ApplicationFailure.retryable(`attempt ${attempt}`, 'NotYet');
  }
  return attempt;
}

export async function failForGood(): Promise<void> {
  throw ApplicationFailure.nonRetryable('never', 'Never');
}

export async function failWithDelay(): Promise<number> {
  if (Context.current().info.attempt === 1) {
    throw ApplicationFailure.create({ message: 'later', nextRetryDelay: '300ms' });
  }
  return Context.current().info.attempt;
}

export async function hang(): Promise<void> {
  await Context.current().cancelled;
}

export async function hangAfterHeartbeat(): Promise<void> {
  heartbeat('alive');
  await Context.current().cancelled;
}

export async function resumeFromHeartbeat(): Promise<unknown[]> {
  const { attempt, heartbeatDetails } = Context.current().info;
  if (attempt === 1) {
    heartbeat('reached');
    throw ApplicationFailure.retryable('crash');
  }
  return [attempt, heartbeatDetails];
}

export async function beatUntilCancelled(): Promise<void> {
  for (;;) {
    heartbeat('busy');
    await sleep(50);
  }
}

export async function completeFromOutside(): Promise<string> {
  const { taskToken, workflowExecution } = Context.current().info;
  tokens.set(workflowExecution!.workflowId, taskToken);
  throw new CompleteAsyncError();
}

/** The workflows of the tests. */

import {
  ActivityCancellationType,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  executeChild,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type * as activities from './activities';

const fast = proxyActivities<typeof activities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '20ms', backoffCoefficient: 1, maximumAttempts: 4 },
});

export const add = defineSignal<[number]>('add');
export const finish = defineSignal('finish');
export const total = defineQuery<number>('total');
export const broken = defineQuery<number>('broken');

export async function greets(name: string): Promise<string> {
  return `hello ${name}`;
}

export async function adopts(name: string): Promise<string> {
  const workflowId = `${workflowInfo().workflowId}-child`;
  return executeChild(greets, { args: [name], workflowId });
}

export async function fails(): Promise<void> {
  throw ApplicationFailure.create({ message: 'as told', type: 'Told', details: ['detail'] });
}

export async function doubles(number: number, times = 1): Promise<number> {
  for (let done = 0; done < times; done += 1) number = await fast.double(number);
  return number;
}

export async function retries(succeedingAttempt: number): Promise<number> {
  return fast.failUntil(succeedingAttempt);
}

export async function callsWhatFails(): Promise<void> {
  await fast.failForGood();
}

export async function waitsAsTold(): Promise<number> {
  return fast.failWithDelay();
}

export async function timesOut(kind: 'startToClose' | 'heartbeat' | 'scheduleToStart'): Promise<void> {
  const once = { maximumAttempts: 1 };
  if (kind === 'startToClose') {
    await proxyActivities<typeof activities>({ startToCloseTimeout: '400ms', retry: once }).hang();
  } else if (kind === 'heartbeat') {
    const beating = proxyActivities<typeof activities>({
      startToCloseTimeout: '30s',
      heartbeatTimeout: '400ms',
      retry: once,
    });
    await beating.hangAfterHeartbeat();
  } else {
    const unheard = proxyActivities<typeof activities>({
      taskQueue: `nobody-${workflowInfo().workflowId}`,
      scheduleToStartTimeout: '400ms',
      startToCloseTimeout: '30s',
    });
    await unheard.hang();
  }
}

export async function resumes(): Promise<unknown[]> {
  return fast.resumeFromHeartbeat();
}

export async function cancelsItsActivity(): Promise<string> {
  const cancellable = proxyActivities<typeof activities>({
    startToCloseTimeout: '30s',
    heartbeatTimeout: '5s',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
  try {
    await cancellable.beatUntilCancelled();
  } catch (error) {
    if (isCancellation(error)) return 'activity cancelled';
    throw error;
  }
  return 'activity completed';
}

export async function waitsForOutside(): Promise<string> {
  return fast.completeFromOutside();
}

export async function callsLocally(): Promise<number> {
  return proxyLocalActivities<typeof activities>({ startToCloseTimeout: '5s' }).double(21);
}

export async function sleeps(milliseconds: number): Promise<void> {
  await sleep(milliseconds);
}

export async function cancelsATimer(): Promise<string> {
  const scope = new CancellationScope();
  const slept = scope.run(() => sleep('1h')).then(
    () => 'slept',
    (error: unknown) => (isCancellation(error) ? 'cancelled' : 'failed'),
  );
  await sleep(50);
  scope.cancel();
  return slept;
}

export async function counts(): Promise<number> {
  let sum = 0;
  let finished = false;
  setHandler(add, (number) => void (sum += number));
  setHandler(finish, () => void (finished = true));
  setHandler(total, () => sum);
  setHandler(broken, () => {
    throw new Error('cannot answer');
  });
  await condition(() => finished && allHandlersFinished());
  return sum;
}

export async function waitsForEver(): Promise<void> {
  await condition(() => false);
}

export async function cleansUp(): Promise<string> {
  try {
    await sleep('1h');
  } catch (error) {
    if (!isCancellation(error)) throw error;
    return CancellationScope.nonCancellable(async () => {
      await sleep(20);
      return 'cleaned up';
    });
  }
  return 'slept';
}

export async function countsDown(number: number): Promise<string> {
  if (number > 0) await continueAsNew<typeof countsDown>(number - 1);
  return workflowInfo().firstExecutionRunId;
}

export async function succeedsAtTheThirdAttempt(): Promise<number> {
  const { attempt } = workflowInfo();
  if (attempt < 3) throw ApplicationFailure.retryable(`attempt ${attempt}`);
  return attempt;
}

export async function upserts(): Promise<void> {
  upsertMemo({ added: 2 });
  upsertSearchAttributes({ CustomKeywordField: ['upserted'] });
  await sleep(20);
}

export async function isPatched(): Promise<string> {
  const before = patched('a-change') ? 'new' : 'old';
  await sleep(20);
  return uuid4() && before;
}

let buggy = true;

/** Fails its first workflow task in each process, and none after it. */
export async function failsItsFirstTask(): Promise<string> {
  if (buggy && workflowInfo().unsafe.isReplaying === false && workflowInfo().historyLength <= 3) {
    buggy = false;
    throw new Error('a bug that the next deployment fixes');
  }
  return 'fixed';
}

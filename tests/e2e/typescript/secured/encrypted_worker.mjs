/**
 * A worker of workflows whose payloads the server cannot read.
 *
 *     node encrypted_worker.mjs ADDRESS TASK_QUEUE KEY_FILE
 *
 * A line on standard input ends it.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { NativeConnection, Worker } from '@temporalio/worker';
import { codecOf } from './encryption_codec.mjs';

const [address, taskQueue, keyFile] = process.argv.slice(2);
const { resolve } = createRequire(import.meta.url);
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowsPath: resolve('./encrypted_workflows.cjs'),
  dataConverter: {
    payloadCodecs: [codecOf(readFileSync(keyFile, 'utf8'))],
    // Messages and stack traces of failures are payloads, too.
    failureConverterPath: resolve('./failure_converter.cjs'),
  },
});
const over = once(process.stdin, 'data').then(() => worker.shutdown());
console.log('polls');
await worker.run();
await over;
await connection.close();
process.exit(0);

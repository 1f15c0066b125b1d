/**
 * A worker over mutual TLS, or with tokens of an OpenID Connect provider, or both.
 *
 *     node worker.mjs OPTIONS
 *
 * OPTIONS is JSON: address, taskQueue, and where wanted root, certificate, key (files), serverName,
 * token (text), issuer (tokens come from there, a new one each second). A line on standard input
 * ends it.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { NativeConnection, Worker } from '@temporalio/worker';

const options = JSON.parse(process.argv[2]);
const read = (path) => (path ? readFileSync(path) : undefined);

async function token() {
  if (!options.issuer) {
    return options.token;
  }
  const answer = await fetch(`${options.issuer}/token`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from('worker:worker-secret').toString('base64')}`,
    },
    body: 'grant_type=client_credentials',
  });
  if (!answer.ok) {
    throw new Error(`${answer.status} ${await answer.text()}`);
  }
  return (await answer.json()).access_token;
}

const tls = options.root
  ? {
      serverRootCACertificate: read(options.root),
      serverNameOverride: options.serverName,
      clientCertPair: options.certificate
        ? { crt: read(options.certificate), key: read(options.key) }
        : undefined,
    }
  : false;
const apiKey = await token();
const connection = await NativeConnection.connect({ address: options.address, tls, apiKey });
const refresh = setInterval(async () => {
  if (options.issuer) {
    connection.setApiKey(await token());
    console.log('another token');
  }
}, 1000);
const worker = await Worker.create({
  connection,
  taskQueue: options.taskQueue,
  workflowsPath: createRequire(import.meta.url).resolve('./workflows.cjs'),
  activities: { greet: async (name) => `hello ${name} from TypeScript` },
});
const over = once(process.stdin, 'data').then(() => worker.shutdown());
console.log('polls');
await worker.run();
await over;
clearInterval(refresh);
await connection.close();
process.exit(0);

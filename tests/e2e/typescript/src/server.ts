/** The server under test: one process on a port of its own, ended with the tests that use it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from '@temporalio/client';

const START_MILLISECONDS = 30_000;

/** The executable that LONGTIDE_E2E_SERVER names. */
export function executable(): string {
  const path = process.env['LONGTIDE_E2E_SERVER'];
  if (!path) throw new Error("LONGTIDE_E2E_SERVER must name the server's executable");
  return resolve(path);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  probe.close();
  await once(probe, 'close');
  return address.port;
}

/** One server process, in memory. */
export class Server {
  private constructor(
    readonly address: string,
    private readonly process: ChildProcess,
  ) {}

  /** Starts a server and returns once it serves the namespace `default`. */
  static async start(): Promise<Server> {
    const port = await freePort();
    const child = spawn(
      executable(),
      ['server', 'start-dev', '--port', `${port}`, '--headless', '--log-level', 'warn'].concat(
        ['--search-attribute', 'CustomKeywordField=Keyword'],
      ),
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    process.once('exit', () => child.kill('SIGKILL'));
    const server = new Server(`127.0.0.1:${port}`, child);
    await server.serving();
    return server;
  }

  private async serving(): Promise<void> {
    const deadline = Date.now() + START_MILLISECONDS;
    for (;;) {
      try {
        const connection = await Connection.connect({ address: this.address });
        await connection.workflowService.describeNamespace({ namespace: 'default' });
        await connection.close();
        return;
      } catch (error) {
        if (this.process.exitCode !== null || Date.now() > deadline) throw error;
        await pause(20); // between two looks at a condition
      }
    }
  }

  /** Ends the process and returns once it is gone. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }
}

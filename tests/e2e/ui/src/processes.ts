/** The processes that the tests need: a server, workers, and what hands out the pages. */

import { type ChildProcess, spawn } from "node:child_process";
import { createServer as createHttpServer, request, type Server } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { readFile } from "node:fs/promises";
import { basename, extname, join, normalize } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("..", import.meta.url));
const venv = join(here, "../.cache/venv/bin");
export const dist = process.env.LONGTIDE_E2E_UI_DIST ?? join(here, "../../../ui/dist");

export const verbose = process.env.LONGTIDE_E2E_VERBOSE ? "inherit" : "ignore";

const START_MS = 30_000;
const STOP_MS = 5_000;

/** A port that the system says is free. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** Waits until something holds. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, ms = START_MS): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    const killed = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    child.once("exit", () => {
      clearTimeout(killed);
      resolve();
    });
    child.kill("SIGTERM");
  });
}

const REFERENCE = join(venv, "temporal");

/** The server under test, or the reference's where none is named. */
export const server = process.env.LONGTIDE_E2E_SERVER ?? REFERENCE;

export const isLongtide = basename(server).startsWith("longtide");

export interface Started {
  /** Of gRPC. */
  address: string;
  http: string;
  /** Where the pages are, if the server hands them out. */
  pages?: string;
  close(): Promise<void>;
}

/** A server; its pages are those of a folder, and variables may forbid them things. */
export async function startServer(folder = dist, variables: Record<string, string> = {}): Promise<Started> {
  const [port, httpPort, uiPort] = [await freePort(), await freePort(), await freePort()];
  const ports = ["--port", String(port), "--http-port", String(httpPort)];
  const pages = isLongtide ? ["--ui-port", String(uiPort), "--ui-asset-path", folder] : ["--headless"];
  const child = spawn(server, ["server", "start-dev", ...ports, ...pages, "--log-level", "error"], {
    stdio: ["ignore", "ignore", verbose],
    env: { ...process.env, ...variables },
  });
  const http = `http://127.0.0.1:${httpPort}`;
  await until("the server answers", async () => {
    if (child.exitCode !== null) throw new Error("the server has ended");
    return (await fetch(`${http}/api/v1/namespaces/default`)).ok;
  });
  return {
    address: `127.0.0.1:${port}`,
    http,
    pages: isLongtide ? `http://127.0.0.1:${uiPort}` : undefined,
    close: () => stop(child),
  };
}

/** What the reference serves only when it is told to. */
const FEATURES = ["frontend.WorkflowPauseEnabled=true", "nexusoperation.enableStandalone=true"];

/** The reference, without pages. */
export async function startReference(): Promise<Started> {
  const [port, httpPort] = [await freePort(), await freePort()];
  const flags = ["--port", String(port), "--http-port", String(httpPort), "--headless", "--log-level", "error"];
  const features = FEATURES.flatMap((feature) => ["--dynamic-config-value", feature]);
  const child = spawn(REFERENCE, ["server", "start-dev", ...flags, ...features], {
    stdio: ["ignore", "ignore", verbose],
  });
  const http = `http://127.0.0.1:${httpPort}`;
  await until("the reference answers", async () => (await fetch(`${http}/api/v1/namespaces/default`)).ok);
  return { address: `127.0.0.1:${port}`, http, close: () => stop(child) };
}

/** `longtide ui` in front of a server. */
export async function startUiInFront(address: string): Promise<{ url: string; close: () => Promise<void> }> {
  const port = await freePort();
  const child = spawn(
    server,
    ["ui", "--address", address, "--port", String(port), "--ui-asset-path", dist, "--disable-config-file"],
    { stdio: ["ignore", "ignore", verbose] },
  );
  const url = `http://127.0.0.1:${port}`;
  await until("the UI answers", async () => (await fetch(`${url}/healthz`)).ok);
  return { url, close: () => stop(child) };
}

/** Puts the files of Temporal's own UI into a folder, as the reference serves them. */
export function takeOfficialUi(folder: string): Promise<void> {
  const child = spawn(join(venv, "python"), ["-m", "harness.official_ui", folder], {
    cwd: join(here, ".."),
    env: { ...process.env, LONGTIDE_E2E_SERVER: server },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`the UI was not taken: ${code}`))));
  });
}

export interface Order {
  start?: string;
  id?: string;
  args?: unknown[];
  queue?: string;
  encrypted?: boolean;
  memo?: Record<string, unknown>;
  summary?: string;
  details?: string;
  wait?: string;
  schedule?: string;
  decode?: unknown[];
}

/** A Python process with workers, which obeys. */
export class Workers {
  readonly #child: ChildProcess;
  readonly #answers: ((line: string) => void)[] = [];
  #ready: () => void = () => {};
  readonly ready: Promise<void>;

  constructor(address: string) {
    this.ready = new Promise((resolve) => {
      this.#ready = resolve;
    });
    this.#child = spawn(join(venv, "python"), [join(here, "worker.py"), address], {
      stdio: ["pipe", "pipe", verbose],
    });
    if (!this.#child.stdout) throw new Error("the workers have no output");
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      if (line === '{"ready": true}') this.#ready();
      else if (line.startsWith("{")) this.#answers.shift()?.(line);
      // The SDK's own log is on the same output.
      else console.log(line);
    });
  }

  /** Sends an order, and gives the answer. */
  async obey<T = string>(order: Order): Promise<T> {
    const answer = await new Promise<string>((resolve) => {
      this.#answers.push(resolve);
      this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    });
    const { ok, error } = JSON.parse(answer) as { ok: T; error?: string };
    if (error !== undefined) throw new Error(error);
    return ok;
  }

  close(): Promise<void> {
    this.#child.stdin?.end();
    return stop(this.#child);
  }
}

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

/** As strict as a server can be: no inline script or style, nothing from elsewhere but the codec server. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' http://127.0.0.1:*",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

/** Hands out the built pages for a server that does not, and everything below `/api` from it. */
export async function startPages(api: string): Promise<{ url: string; close: () => void }> {
  const upstream = new URL(api);
  const server = createHttpServer(async (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? "/", "http://pages");
    if (pathname.startsWith("/api/") || pathname.startsWith("/ui-api/")) {
      const forwarded = request(
        {
          host: upstream.hostname,
          port: upstream.port,
          path: incoming.url,
          method: incoming.method,
          headers: { ...incoming.headers, host: upstream.host },
        },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      forwarded.on("error", () => outgoing.headersSent || outgoing.writeHead(502).end());
      outgoing.on("close", () => forwarded.destroy());
      incoming.pipe(forwarded);
      return;
    }
    let file = normalize(pathname);
    let body: Buffer;
    try {
      body = await readFile(join(dist, file));
    } catch {
      file = "index.html";
      body = await readFile(join(dist, file));
    }
    outgoing.writeHead(200, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "content-security-policy": POLICY,
      "x-content-type-options": "nosniff",
    });
    outgoing.end(body);
  });
  return { url: await listen(server), close: () => server.close() };
}

/** A codec server: it decodes what the workers encoded, for those who bring its token. */
export async function startCodec(
  workers: Workers,
  token: string,
): Promise<{ url: string; close: () => void; namespaces: string[] }> {
  const namespaces: string[] = [];
  const server = createHttpServer(async (incoming, outgoing) => {
    outgoing.setHeader("access-control-allow-origin", incoming.headers.origin ?? "*");
    outgoing.setHeader("access-control-allow-headers", "authorization, content-type, x-namespace");
    if (incoming.method === "OPTIONS") return void outgoing.writeHead(204).end();
    if (incoming.headers.authorization !== `Bearer ${token}`) return void outgoing.writeHead(403).end();
    namespaces.push(String(incoming.headers["x-namespace"]));
    let body = "";
    for await (const part of incoming) body += part;
    const { payloads } = JSON.parse(body) as { payloads: unknown[] };
    const decoded = await workers.obey<unknown[]>({ decode: payloads });
    outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ payloads: decoded }));
  });
  return { url: await listen(server), close: () => server.close(), namespaces };
}

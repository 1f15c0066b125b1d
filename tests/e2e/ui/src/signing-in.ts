/** A server whose web UI people sign in to, and the provider that knows them. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, type Page } from "@playwright/test";
import { dist, freePort, isLongtide, server as program, stop, until, verbose } from "./processes.js";
import { test as base } from "./problems.js";

const secured = fileURLToPath(new URL("../../typescript/secured", import.meta.url));

/** The namespaces of the server. */
export const NAMESPACES = ["default", "orders", "secret"];

export interface SignInServer {
  /** Where the pages are. */
  url: string;
  /** Where the server takes calls. */
  address: string;
  /** Ends the pages' own process, which is in front, and starts it again. */
  restartPages(): Promise<void>;
  /** Signs somebody out at the provider, which tells the server. */
  revoke(account: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts both; `auth` is added to what the server is told of signing in. With `front` the pages are those
 * of `longtide ui` with these options, in front of a server that signs nobody in: the program of this
 * project that takes the provider's tokens, or another one at an address.
 */
export async function startSignInServer(
  auth: object = {},
  front?: { options?: (folder: string) => string[]; address?: string },
): Promise<SignInServer> {
  const [port, httpPort, providerPort] = [await freePort(), await freePort(), await freePort()];
  const address = front?.address ?? `127.0.0.1:${port}`;
  const [url, issuer] = [`http://localhost:${httpPort}`, `http://localhost:${providerPort}`];
  const folder = mkdtempSync(join(tmpdir(), "longtide-ui-"));
  const children: ChildProcess[] = [];
  let pages: ChildProcess | undefined;
  let startPages = async (): Promise<void> => {};
  const start = (command: string, ...words: string[]): ChildProcess => {
    const child = spawn(command, words, { stdio: ["ignore", verbose, verbose] });
    children.push(child);
    return child;
  };
  const close = async (): Promise<void> => {
    await Promise.all(children.map(stop));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    start("node", join(secured, "visitors.mjs"), String(providerPort), url);
    await until("the provider answers", async () => {
      return (await fetch(`${issuer}/.well-known/openid-configuration`)).ok;
    });
    const provider = {
      name: "company",
      label: "Company",
      providerUrl: issuer,
      clientId: "web-ui",
      clientSecret: "a-secret-of-the-web-ui",
      callbackUrl: `${url}/auth/sso/callback`,
      postLogoutRedirectUrl: `${url}/sign-in?signedOut=true`,
      scopes: ["openid", "profile", "email"],
      allowedEmails: ["*@example.com"],
    };
    const signingIn = { auth: { enabled: true, providers: [provider], ...auth } };
    const settings = {
      listen: `127.0.0.1:${port}`,
      data_directory: join(folder, "data"),
      http: { listen: front ? "" : `127.0.0.1:${httpPort}` },
      ...(front ? {} : { ui: { enabled: true, directory: dist }, ...signingIn }),
      namespaces: NAMESPACES.map((name) => ({ name })),
      audit: { directory: join(folder, "audit") },
      global: {
        authorization: {
          authorizer: "default",
          claimMapper: "default",
          oidcIssuers: [issuer],
          audience: "temporal",
        },
      },
      log: { level: "warn", format: "text" },
    };
    const file = join(folder, "longtide.yaml");
    writeFileSync(file, JSON.stringify(settings));
    if (front?.address === undefined) {
      const child = start(program, "server", "start", "--config", file);
      if (!front) await answering(url, child);
    }
    if (front) {
      const signInFile = join(folder, "sign-in.yaml");
      writeFileSync(signInFile, JSON.stringify(signingIn));
      writeFileSync(join(folder, "key"), "k".repeat(32));
      const words = ["ui", "--address", address, "--port", String(httpPort), "--ui-asset-path", dist];
      const own = front.options?.(folder) ?? [];
      startPages = async () => {
        pages = start(program, ...words, "--auth-config", signInFile, "--disable-config-file", ...own);
        await answering(url, pages);
      };
      await startPages();
    }
  } catch (error) {
    await close();
    throw error;
  }
  const restartPages = async (): Promise<void> => {
    if (pages) await stop(pages);
    await startPages();
  };
  const revoke = async (account: string): Promise<void> => {
    const answer = await fetch(`${issuer}/sign-out?account=${account}`, { method: "POST" });
    expect(answer.status).toBe(200);
  };
  return { url, address, restartPages, revoke, close };
}

/** Waits until a program hands out its pages. */
const answering = (url: string, child: ChildProcess): Promise<boolean> =>
  until("the pages answer", async () => {
    if (child.exitCode !== null) throw new Error("the program has ended");
    return (await fetch(`${url}/ui-api/session`)).ok;
  });

export const test = base.extend<object, { world: SignInServer }>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: the form that fixtures have
    async ({}, use) => {
      const server = await startSignInServer();
      await use(server);
      await server.close();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  baseURL: async ({ world }, use) => use(world.url),
});

/** Only this project's own server signs people in. */
export const signsIn = isLongtide;

/** Says at the provider who one is. */
export async function sayWho(page: Page, account: string): Promise<void> {
  await expect(page.getByRole("heading", { name: "Who are you?" })).toBeVisible();
  await page.getByLabel("Name").fill(account);
  await page.getByRole("button", { name: "Continue" }).click();
}

/** Goes to a page, signs in on the way, and arrives there. */
export async function signIn(page: Page, account: string, path = "/"): Promise<void> {
  await page.goto(path);
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.getByRole("link", { name: "Sign in with Company" }).click();
  await sayWho(page, account);
  await expect(page.getByRole("navigation", { name: "Views" })).toBeVisible();
}

/** Nothing on the page says that something has failed. */
export async function expectNoError(page: Page): Promise<void> {
  await expect(page.locator(".skeleton")).toHaveCount(0);
  await expect(page.locator(".state.bad, .toast.bad")).toHaveCount(0);
}

export { expect };

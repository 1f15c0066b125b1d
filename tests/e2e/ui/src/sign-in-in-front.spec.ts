/** Signing in to `longtide ui` in front of a server that knows the people's tokens, and of one that does not. */

import { expectAccessible } from "./fixtures.js";
import { type Started, startReference } from "./processes.js";
import { expect, expectNoError, signIn, type SignInServer, signsIn, startSignInServer, test as base } from "./signing-in.js";

const test = base.extend<object, { world: SignInServer }>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: the form that fixtures have
    async ({}, use) => {
      const kept = (folder: string) => ["--sessions-directory", `${folder}/sessions`, "--sessions-key", `${folder}/key`];
      const server = await startSignInServer({}, { options: kept });
      await use(server);
      await server.close();
    },
    { scope: "worker", timeout: 60_000 },
  ],
});

test.skip(!signsIn, "the program under test signs nobody in");

test("what the pages show and what the server behind them allows agree", async ({ page }) => {
  const failed: string[] = [];
  page.on("response", (answer) => answer.status() >= 400 && failed.push(`${answer.status()} ${answer.url()}`));
  await signIn(page, "reader", "/namespaces/default/access");
  const row = (method: string) => page.locator(`tr[data-method=${method}]`);
  await expect(page.getByRole("region", { name: "You" })).toContainText("jwt:reader");
  await expect(row("ListWorkflowExecutions")).toContainText("default:read");
  await expect(row("StartWorkflowExecution")).toContainText("it needs default:write");
  await page.goto("/namespaces/default/workflows");
  await expect(page.getByRole("button", { name: "Start workflow" })).toHaveAttribute("aria-disabled", "true");
  await expect(page.getByRole("link", { name: "Sessions" })).toHaveCount(0);
  await expectNoError(page);
  expect(failed).toEqual([]);
  const refused = await page.evaluate(async () => {
    const session = await (await fetch("/ui-api/session")).json();
    const headers = { "content-type": "application/json", "x-csrf-token": session.csrfToken };
    const body = JSON.stringify({ workflowType: { name: "X" }, taskQueue: { name: "q" }, requestId: "r" });
    const answer = await fetch("/api/v1/namespaces/default/workflows/w", { method: "POST", headers, body });
    return [answer.status, (await fetch("/ui-api/sessions")).status, (await fetch("/ui-api/audit")).status];
  });
  expect(refused).toEqual([403, 403, 501]);
});

test("a writer starts a workflow, and the server knows who it was", async ({ page }) => {
  await signIn(page, "writer", "/namespaces/default/start-workflow");
  const id = `in-front-${Date.now()}`;
  await page.getByLabel("Workflow id").fill(id);
  await page.getByLabel("Type", { exact: true }).fill("Order");
  await page.getByLabel("Task queue").fill("nobody");
  await page.getByRole("button", { name: "Start workflow" }).click();
  await expect(page.getByTestId("workflow-id")).toHaveText(id);
  const history = await page.evaluate(
    async (workflow) => (await fetch(`/api/v1/namespaces/default/workflows/${workflow}/history`)).json(),
    id,
  );
  expect(history.history.events[0].principal.name).toBe("writer");
});

test("only sessions lead to the server, and no token of somebody's own", async ({ page, world }) => {
  const ask = (headers: Record<string, string>) => page.request.get(`${world.url}/api/v1/namespaces/default`, { headers });
  for (const headers of [{}, { authorization: "Bearer x" }, { "grpc-metadata-authorization": "Bearer x" }, { cookie: "longtide-session=x" }]) {
    expect((await ask(headers as Record<string, string>)).status()).toBe(401);
  }
});

test("a session outlives the pages' process, where it is kept", async ({ page, world }) => {
  await signIn(page, "reader", "/namespaces/default/workflows");
  await world.restartPages();
  await page.goto("/namespaces/default/access");
  await expect(page.getByRole("region", { name: "You" })).toContainText("jwt:reader");
});

test("an administrator of the server ends somebody's session, who is told at once", async ({ page, browser, world }) => {
  const context = await browser.newContext({ baseURL: world.url });
  const other = await context.newPage();
  await signIn(other, "owner", "/namespaces/orders/workflows");
  await signIn(page, "admin", "/sessions");
  const row = page.getByRole("table", { name: "Sessions" }).locator("tbody tr", { hasText: "Owner" });
  await expect(row).toContainText("owner@example.com");
  await expect(row).toContainText("company");
  await expect(row).toContainText("127.0.0.1");
  await expectAccessible(page);
  await row.getByRole("button", { name: "End the session of Owner" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "End session" }).click();
  await expect(row).toHaveCount(0);
  await expect(other.getByText("Your session has ended.")).toBeVisible();
  await context.close();
});

test.describe("in front of a server that does not say what one may do", () => {
  let reference: Started;
  let front: SignInServer;
  test.beforeAll(async () => {
    reference = await startReference();
    front = await startSignInServer({}, { address: reference.address });
  });
  test.afterAll(async () => {
    await front?.close();
    await reference?.close();
  });

  test("people sign in, and the access view says that the server decides", async ({ page }) => {
    const failed: string[] = [];
    page.on("response", (answer) => answer.status() >= 400 && failed.push(`${answer.status()} ${answer.url()}`));
    await signIn(page, "newcomer", `${front.url}/namespaces/default/access`);
    await expect(page.getByText("Unknown: the server decides")).toBeVisible();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Newcomer" }).click();
    await expect(page.getByRole("dialog", { name: "Newcomer" })).toContainText("unknown: the server decides");
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Workflows" }).click();
    await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
    await expectNoError(page);
    expect(failed).toEqual([]);
  });

  test("sessions that are in memory end with the pages' process", async ({ page }) => {
    await signIn(page, "reader", `${front.url}/namespaces/default/workflows`);
    await front.restartPages();
    await page.goto(`${front.url}/namespaces/default/workflows`);
    await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  });
});

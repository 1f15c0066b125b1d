import type { Page } from "@playwright/test";
import { expectAccessible, openPart } from "./fixtures.js";
import {
  expect,
  expectNoError,
  NAMESPACES,
  sayWho,
  signIn,
  type SignInServer,
  signsIn,
  startSignInServer,
  test,
} from "./signing-in.js";

test.skip(!signsIn, "the reference's server signs nobody in");

const WORKFLOWS = "/namespaces/default/workflows";

/** Fills in the form that starts a workflow. */
async function fillStart(page: Page, id: string): Promise<void> {
  await page.getByLabel("Workflow id").fill(id);
  await page.getByLabel("Type", { exact: true }).fill("Order");
  await page.getByLabel("Task queue").fill("nobody");
}

test("without a session every page leads to the sign-in, and back to where the way led", async ({ page }) => {
  await page.goto(`${WORKFLOWS}?query=${encodeURIComponent('WorkflowType = "x"')}`);
  await expect(page).toHaveURL(/\/sign-in\?returnUrl=/);
  await expect(page.getByRole("navigation", { name: "Views" })).toHaveCount(0);
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await expectAccessible(page);
  await page.getByRole("link", { name: "Sign in with Company" }).click();
  await sayWho(page, "reader");
  await expect(page).toHaveURL(/\/namespaces\/default\/workflows\?query=/);
  await expect(page.getByRole("button", { name: /the condition WorkflowType = "x"/ }).first()).toBeVisible();
  await expectNoError(page);
});

test("no script can read the session, and no token is on the page", async ({ page, context }) => {
  await signIn(page, "reader");
  const session = (await context.cookies()).find(({ name }) => name.endsWith("longtide-session"));
  expect(session).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/" });
  const kept = await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]));
  expect(kept).not.toContain(session?.value);
  expect(kept).not.toMatch(/eyJ/);
});

test("somebody new without a role is told so, and can sign out", async ({ page }) => {
  await signIn(page, "newcomer");
  await expect(page.getByText("No namespace is open to you")).toBeVisible();
  await expect(page.getByText("You are signed in as Newcomer (newcomer@example.com)")).toBeVisible();
  await expectNoError(page);
  await expectAccessible(page);
  // A link that somebody has sent leads to the same.
  await page.goto(WORKFLOWS);
  await expect(page.getByText("No namespace is open to you")).toBeVisible();
  await expectNoError(page);
  await page.getByRole("button", { name: "Newcomer" }).click();
  await expect(page.getByRole("dialog", { name: "Newcomer" })).toContainText("none");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Signing out" })).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/signedOut=true/);
  await expect(page.getByText("You are signed out.")).toBeVisible();
  // The provider has forgotten who it was, too.
  await page.goto("/");
  await page.getByRole("link", { name: "Sign in with Company" }).click();
  await expect(page.getByRole("heading", { name: "Who are you?" })).toBeVisible();
});

test("a reader looks, and is told why it may do nothing else", async ({ page }) => {
  await signIn(page, "reader", WORKFLOWS);
  const start = page.getByRole("button", { name: "Start workflow" });
  await expect(start).toHaveAttribute("aria-disabled", "true");
  await expect(start).toHaveAccessibleDescription(/it needs default:write, which you do not have/);
  await expectAccessible(page);
  await page.keyboard.press("c");
  await expect(page).toHaveURL(new RegExp(`${WORKFLOWS}$`));
  await page.goto("/namespaces/default/start-workflow");
  await expect(page.getByText("This view is not open to you")).toBeVisible();
  await expect(page.getByRole("link", { name: "Audit log" })).toHaveCount(0);
  await expectNoError(page);
  await expectAccessible(page);
  // The server says the same, whatever the page does.
  const refused = await page.evaluate(async () => {
    const session = await (await fetch("/ui-api/session")).json();
    const path = "/api/v1/namespaces/default/workflows/forced";
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", "x-csrf-token": session.csrfToken },
      body: JSON.stringify({ workflowType: { name: "X" }, taskQueue: { name: "q" }, requestId: "r" }),
    });
    return answer.status;
  });
  expect(refused).toBe(403);
});

test("a writer starts, and requests without the session's token change nothing", async ({ page }) => {
  await signIn(page, "writer", "/namespaces/default/start-workflow");
  const id = `written-${Date.now()}`;
  await fillStart(page, id);
  await page.getByRole("button", { name: "Start workflow" }).click();
  await expect(page.getByTestId("workflow-id")).toHaveText(id);
  const without = await page.evaluate(async (workflow) => {
    const path = `/api/v1/namespaces/default/workflows/${workflow}/terminate`;
    const ask = async (more: Record<string, string>): Promise<number> => {
      const headers = { "content-type": "application/json", ...more };
      return (await fetch(path, { method: "POST", headers, body: "{}" })).status;
    };
    return Promise.all([ask({}), ask({ "x-csrf-token": "guessed" })]);
  }, id);
  expect(without).toEqual([403, 403]);
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Terminate…" }).click();
  await page.getByLabel("Reason").fill("enough");
  await page.getByRole("button", { name: "Terminate workflow" }).click();
  await expect(page.locator("header [data-status=Terminated]")).toBeVisible();
  await expectNoError(page);
});

test("an administrator sees who did what, and the address holds what is looked for", async ({ page, browser, world }) => {
  // Somebody does something, and somebody else may not.
  const id = `audited-${Date.now()}`;
  for (const account of ["writer", "scoped"]) {
    const context = await browser.newContext({ baseURL: world.url });
    const other = await context.newPage();
    await signIn(other, account, account === "writer" ? "/namespaces/default/start-workflow" : "/");
    if (account === "writer") {
      await fillStart(other, id);
      await other.getByRole("button", { name: "Start workflow" }).click();
      await expect(other.getByTestId("workflow-id")).toHaveText(id);
    } else {
      await other.evaluate(() => fetch("/api/v1/namespaces/secret"));
    }
    await context.close();
  }
  await signIn(page, "admin", "/audit?rpc=StartWorkflowExecution&since=1h");
  const table = page.getByRole("table", { name: "Records" });
  const row = table.locator("tbody tr", { hasText: id });
  await expect(row).toContainText("writer");
  await expect(row).toContainText("default:write");
  await expect(row.locator("[data-decision=allowed]")).toBeVisible();
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await expectAccessible(page);

  await row.getByRole("button", { name: /^Record \d+$/ }).click();
  await expect(page.getByRole("dialog")).toContainText("StartWorkflowExecution");
  await expect(page.getByRole("dialog")).toContainText("prev");
  await expectAccessible(page);
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByLabel("Decision").selectOption("denied");
  await page.getByLabel("Who").fill("scoped");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/principal=scoped/);
  await expect(table.locator("tbody tr").first()).toContainText("secret");
  await expect(table.locator("[data-decision=denied]").first()).toBeVisible();

  // Looking is in the log itself.
  await page.goto("/audit?rpc=ReadAuditLog&principal=admin");
  await expect(table.locator("tbody tr").first()).toContainText("ReadAuditLog");
  await row.waitFor({ state: "detached" });
  await page.getByLabel("Since").fill("noon");
  await expect(page.getByText("as 1h or 2026-11-22T10:00")).toBeVisible();
});

test("an administrator sees who is signed in, and ends a session at once", async ({ page, browser, world }) => {
  const context = await browser.newContext({ baseURL: world.url });
  const other = await context.newPage();
  await signIn(other, "scoped", "/namespaces/orders/workflows");
  await signIn(page, "admin");
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Sessions" }).click();
  const table = page.getByRole("table", { name: "Sessions" });
  // Whoever was there last comes first; the same person may have others.
  const rows = table.locator("tbody tr", { hasText: "scoped@example.com" });
  const row = rows.first();
  await expect(row).toContainText("Scoped");
  await expect(row).toContainText("company");
  await expect(row).toContainText("127.0.0.1");
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    await expectAccessible(page);
  }
  await page.keyboard.press("/");
  await page.keyboard.type("scoped");
  const before = await rows.count();
  await expect(table.locator("tbody tr")).toHaveCount(before);
  const told = await page.evaluate(async () => (await fetch("/ui-api/sessions")).text());
  const cookies = [...(await context.cookies()), ...(await page.context().cookies())];
  for (const { value } of cookies) expect(told).not.toContain(value);
  expect(told).not.toMatch(/eyJ/);
  await row.getByRole("button", { name: "End the session of Scoped" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "End session" }).click();
  await expect(rows).toHaveCount(before - 1);
  // Nothing was done in the other browser: its streams were cut.
  await expect(other.getByText("Your session has ended.")).toBeVisible();
  await page.goto("/audit?rpc=EndSession");
  const record = page.getByRole("table", { name: "Records" }).locator("tbody tr").first();
  await expect(record).toContainText("admin");
  await expectNoError(page);
  await context.close();
});

test("who looks after a namespace sees what is about it, and nothing else", async ({ page }) => {
  await signIn(page, "owner", "/namespaces/orders/access");
  await page.goto("/audit");
  await expect(page.getByText("The audit log is not open to you here")).toBeVisible();
  await expectNoError(page);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Show what is about orders" }).click();
  await expect(page).toHaveURL(/namespace=orders/);
  const table = page.getByRole("table", { name: "Records" });
  await page.getByRole("button", { name: "Look again" }).click();
  await expect(table.locator("tbody tr").first()).toContainText("ReadAuditLog");
  for (const cell of await table.locator("tbody tr td:nth-child(5)").allInnerTexts()) expect(cell).toBe("orders");
  const statuses = await page.evaluate(() =>
    Promise.all(
      ["/ui-api/audit", "/ui-api/audit?namespace=default"].map(async (path) => (await fetch(path)).status),
    ),
  );
  expect(statuses).toEqual([403, 403]);
});

test("whoever is of one namespace sees that one, and no error anywhere", async ({ page }) => {
  const failed: string[] = [];
  page.on("response", (answer) => answer.status() >= 400 && failed.push(`${answer.status()} ${answer.url()}`));
  await signIn(page, "scoped");
  await expect(page).toHaveURL(/\/namespaces\/orders\/workflows/);
  await expectNoError(page);
  await page.getByRole("button", { name: /^Namespace/ }).click();
  await expect(page.getByRole("option")).toHaveText(["orders"]);
  await page.keyboard.press("Escape");
  const views = ["Workflows", "Schedules", "Activities", "Batch operations", "Workers", "Deployments", "Access"];
  for (const name of [...views, "Namespaces", "Nexus endpoints", "Settings"]) {
    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name, exact: true }).click();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expectNoError(page);
  }
  await page.goto("/namespaces");
  await expect(page.getByRole("table").locator("tbody tr")).toHaveCount(1);
  for (const other of NAMESPACES.filter((name) => name !== "orders")) {
    await page.goto(`/namespaces/${other}/workflows`);
    await expect(page.getByText(`You have no role in the namespace ${other}`)).toBeVisible();
    await expectNoError(page);
    await expectAccessible(page);
    await page.getByRole("list", { name: "Namespaces that are open to you" }).getByRole("link", { name: "orders" }).click();
    await expect(page).toHaveURL(/\/namespaces\/orders\/workflows/);
  }
  expect(failed).toEqual([]);
});

test("the access view says what one may do, and why", async ({ page }) => {
  await signIn(page, "reader", "/namespaces/default/access");
  const row = (method: string) => page.locator(`tr[data-method=${method}]`);
  await expect(page.getByRole("region", { name: "You" })).toContainText("jwt:reader");
  await expect(page.getByRole("region", { name: "You" })).toContainText("default:read");
  await expect(row("ListWorkflowExecutions")).toContainText("yes");
  await expect(row("ListWorkflowExecutions")).toContainText("default:read");
  await expect(row("StartWorkflowExecution")).toContainText("no");
  await expect(row("StartWorkflowExecution")).toContainText("it needs default:write");
  await expect(row("CreateNexusEndpoint")).toContainText("temporal-system:admin");
  await expectAccessible(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await expectAccessible(page);
  await page.keyboard.press("/");
  await page.keyboard.type("terminate");
  await expect(page).toHaveURL(/find=terminate/);
  await expect(row("TerminateWorkflowExecution")).toBeVisible();
  await expect(row("ListWorkflowExecutions")).toHaveCount(0);
  // Also where one may do nothing.
  await page.goto("/namespaces/secret/access?show=allowed");
  await expect(row("ListNamespaces")).toContainText("whoever has credentials may");
  await expect(row("ListWorkflowExecutions")).toHaveCount(0);
});

test("everything is done with the keyboard, from the sign-in to the way out", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Sign in with Company" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Name")).toBeFocused();
  await page.keyboard.type("admin");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  for (const [keys, heading] of [
    ["gp", "Access"],
    ["gl", "Audit log"],
  ] as const) {
    for (const key of keys) await page.keyboard.press(key);
    await expect(page.getByRole("heading", { name: heading, level: 1 })).toBeVisible();
  }
  await expect(page.getByRole("button", { name: /^Record \d+$/ }).first()).toBeVisible();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toContainText("hash");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Find anything" })).toBeFocused();
  await page.keyboard.type("access");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Access", level: 1 })).toBeVisible();
  await page.keyboard.press("g");
  await page.keyboard.press("u");
  await expect(page.getByRole("dialog", { name: "Admin" })).toContainText("temporal-system:admin");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Sign out" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Signing out" })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByText("You are signed out.")).toBeVisible();
});

test("a callback counts once, and only for the browser that began", async ({ page, browser, world }) => {
  let callback = "";
  page.on("request", (request) => {
    if (request.url().includes("/auth/sso/callback")) callback = request.url();
  });
  await signIn(page, "reader");
  expect(callback).toContain("code=");
  await page.goto(callback);
  await expect(page).toHaveURL(/\/sign-in\?.*error=state/);
  await expect(page.getByRole("alert")).toContainText("could not be matched to this browser");
  await expectAccessible(page);
  // Who was signed in still is.
  await page.getByRole("link", { name: "Go on" }).click();
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  // Somebody else's callback signs nobody in.
  const context = await browser.newContext({ baseURL: world.url });
  const victim = await context.newPage();
  for (const forged of [callback, "/auth/sso/callback?code=x&state=forged", "/auth/sso/callback"]) {
    await victim.goto(forged);
    await expect(victim).toHaveURL(/\/sign-in\?.*error=state/);
    await expect(victim.getByRole("link", { name: "Sign in with Company" })).toBeVisible();
  }
  expect((await context.cookies()).filter(({ name }) => name.endsWith("longtide-session"))).toEqual([]);
  await context.close();
});

test("who is refused by the provider or by the server is told by whom", async ({ page }) => {
  await page.goto(WORKFLOWS);
  await page.getByRole("link", { name: "Sign in with Company" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("alert")).toContainText("The provider did not sign you in");
  await expect(page).toHaveURL(/returnUrl=/);
  await page.getByRole("link", { name: "Sign in with Company" }).click();
  await sayWho(page, "mallory");
  await expect(page.getByRole("alert")).toContainText("You may not use this server");
  await expectAccessible(page);
});

test("nobody is led elsewhere after the sign-in", async ({ page }) => {
  for (const evil of ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]) {
    await page.goto(`/sign-in?returnUrl=${encodeURIComponent(evil)}`);
    const link = page.getByRole("link", { name: "Sign in with Company" });
    const target = new URL((await link.getAttribute("href")) ?? "").searchParams.get("returnUrl");
    expect(target).toBe("/");
  }
  await page.goto("/sign-in?error=%3Cb%3Ex%3C/b%3E");
  await expect(page.getByRole("alert")).toHaveText(/^The sign-in did not work\./);
});

test("who is signed out elsewhere is told gently, and goes on where it was", async ({ page, context, world }) => {
  await signIn(page, "writer", "/namespaces/default/start-workflow");
  const id = `kept-${Date.now()}`;
  await fillStart(page, id);
  await world.revoke("writer");
  await page.getByRole("button", { name: "Start workflow" }).click();
  await expect(page.getByRole("alert")).toContainText("UNAUTHENTICATED");
  await expect(page.getByText("Your session has ended.")).toBeVisible();
  await expect(page.getByLabel("Workflow id")).toHaveValue(id);
  await expectAccessible(page);
  const again = page.getByRole("alert").getByRole("link", { name: "Sign in in a new tab" });
  const [tab] = await Promise.all([context.waitForEvent("page"), again.click()]);
  await tab.waitForLoadState();
  // The provider may still know who it is.
  if (await tab.getByLabel("Name").isVisible()) await sayWho(tab, "writer");
  await expect(tab.getByRole("heading", { name: "Signed in as Writer" })).toBeVisible();
  await tab.close();
  await expect(page.getByText("Your session has ended.")).toHaveCount(0);
  await expect(page.getByLabel("Workflow id")).toHaveValue(id);
  await page.getByRole("button", { name: "Start workflow" }).click();
  await expect(page.getByTestId("workflow-id")).toHaveText(id);
});

test.describe("on a server whose sessions are short", () => {
  const SECONDS = 8;
  let short: SignInServer;
  test.beforeAll(async () => {
    short = await startSignInServer({ maxSessionDuration: `${SECONDS}s`, redirectToProvider: true });
  });
  test.afterAll(async () => short.close());

  test("a session that is over is noticed by itself, and a form in a dialog keeps what it has", async ({ page }) => {
    // The only provider is asked at once.
    await page.goto(`${short.url}/namespaces/default/start-workflow`);
    await sayWho(page, "writer");
    await fillStart(page, "short");
    await page.getByRole("button", { name: "Start workflow" }).click();
    await expect(page.getByTestId("workflow-id")).toHaveText("short");
    await page.getByRole("button", { name: "Signal" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Signal", { exact: true }).fill("half-filled");
    await expect(page.locator(".session-notice")).toContainText("Your session has ended.", {
      timeout: (SECONDS + 10) * 1000,
    });
    await dialog.getByRole("button", { name: "Send signal" }).click();
    await expect(dialog.getByRole("alert")).toContainText("What you have typed is still here.");
    await expect(dialog.getByLabel("Signal", { exact: true })).toHaveValue("half-filled");
    await expectAccessible(page);
    const link = dialog.getByRole("link", { name: "Sign in in a new tab" });
    const [tab] = await Promise.all([page.context().waitForEvent("page"), link.click()]);
    await expect(tab.getByRole("heading", { name: "Signed in as Writer" })).toBeVisible();
    await tab.close();
    await expect(dialog.getByRole("alert")).toContainText("You are signed in again");
    await dialog.getByRole("button", { name: "Send signal" }).click();
    await expect(dialog).toHaveCount(0);
    await openPart(page, "History");
    await expect(page.getByTestId("history-list")).toContainText("half-filled");
  });
});

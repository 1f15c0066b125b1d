import { commandOf, expect, expectAccessible, freshId, test } from "./fixtures.js";
import type { Locator, Page } from "@playwright/test";

const NS = "/namespaces/default";

/** Presses Tab until something has the focus. */
async function tabTo(
  page: Page,
  name: string,
  role: "button" | "textbox" = "button",
  within: Page | Locator = page,
): Promise<void> {
  const wanted = within.getByRole(role, { name, exact: true });
  for (let press = 0; press < 60; press += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the keyboard does not lead to ${name}`);
}

/** Starts an activity that no worker takes. */
async function startActivity(page: Page, id: string): Promise<void> {
  await page.goto(`${NS}/start-activity`);
  await page.getByLabel("Activity id").fill(id);
  await page.getByLabel("Type", { exact: true }).fill("charge");
  await page.getByLabel("Task queue").fill("nobody-polls-it");
  await page.getByRole("button", { name: "Start activity" }).click();
}

test("a standalone activity is started and cancelled", async ({ page }) => {
  const id = freshId("activity");
  await page.goto(`${NS}/activities`);
  await page.getByRole("link", { name: "Start activity" }).click();
  await page.getByLabel("Activity id").fill(id);
  await page.getByLabel("Type", { exact: true }).fill("charge");
  await page.getByLabel("Task queue").fill("nobody-polls-it");
  await page.getByLabel("Input: argument 1, as JSON").fill('{"amount": 1}');
  await page.getByLabel("An attempt may take").fill("soon");
  await expect(page.getByText("`soon` is no duration")).toBeVisible();
  await expect(page.getByRole("button", { name: "Start activity" })).toBeDisabled();
  await page.getByLabel("An attempt may take").fill("");
  await expect(page.getByText("Say how long an attempt")).toBeVisible();
  await page.getByLabel("An attempt may take").fill("1m30s");
  await page.getByText("More options").click();
  await page.getByLabel("Attempts", { exact: true }).fill("3");
  await expectAccessible(page);
  expect(await commandOf(page)).toBe(
    `temporal activity start -n default --activity-id ${id} --type charge --task-queue nobody-polls-it ` +
      `--start-to-close-timeout 1m30s --retry-maximum-attempts 3 -i '{"amount": 1}'`,
  );
  await page.getByRole("button", { name: "Start activity" }).click();

  await expect(page.getByRole("heading", { name: id })).toBeVisible();
  await expect(page.locator("header [data-status=Running]")).toBeVisible();
  await expect(page.getByText('"amount"')).toBeVisible();
  await page.getByRole("button", { name: "Cancel…" }).click();
  await page.getByLabel("Reason").fill("not needed");
  expect(await commandOf(page)).toMatch(/^temporal activity cancel -n default .* --reason 'not needed'$/);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Cancel activity" }).click();
  await expect(page.getByText("Cancellation was requested")).toBeVisible();
  await expect(page.locator("header [data-status=Canceled]")).toBeVisible();
  await expect(page.getByRole("button", { name: "Cancel…" })).toHaveCount(0);
  await page.getByRole("link", { name: "Standalone activities" }).click();
  await expect(page.getByRole("link", { name: id })).toBeVisible();
});

test("a standalone activity is terminated with the keyboard alone", async ({ page }) => {
  const id = freshId("activity");
  await startActivity(page, id);
  await expect(page.getByRole("heading", { name: id })).toBeVisible();
  await tabTo(page, "Terminate…");
  await page.keyboard.press("Enter");
  await tabTo(page, "Reason", "textbox");
  await page.keyboard.type("enough");
  await page.keyboard.press("Enter");
  await expect(page.locator("header [data-status=Terminated]")).toBeVisible();
  await expect(page.getByText("enough")).toBeVisible();
});

test("an activity id that is in use is refused as the server says it", async ({ page }) => {
  const id = freshId("twice");
  for (const attempt of [1, 2]) {
    await startActivity(page, id);
    if (attempt === 1) await expect(page.getByRole("heading", { name: id })).toBeVisible();
  }
  await expect(page.getByRole("alert")).toContainText("ALREADY_EXISTS");
  await expect(page.getByRole("alert")).toContainText("ActivityExecutionAlreadyStartedFailure");
  // What was written is still there.
  await expect(page.getByLabel("Activity id")).toHaveValue(id);
});

test("a standalone Nexus operation is started, cancelled and terminated", async ({ page, world }) => {
  const [endpoint, id] = [freshId("endpoint"), freshId("operation")];
  const made = await fetch(`${world.server.http}/api/v1/nexus/endpoints`, {
    method: "POST",
    body: JSON.stringify({
      spec: { name: endpoint, target: { worker: { namespace: "default", taskQueue: "nobody-polls-it" } } },
    }),
  });
  expect(made.status).toBe(200);
  await page.goto(`${NS}/nexus-operations`);
  await page.getByRole("link", { name: "Start operation" }).click();
  await page.getByLabel("Operation id").fill(id);
  await page.getByLabel("Endpoint").fill("there-is-none");
  await page.getByLabel("Service").fill("payments");
  await page.getByLabel("Operation", { exact: true }).fill("charge");
  await page.getByLabel("Input: argument 1, as JSON").fill("7");
  await page.getByRole("button", { name: "Start operation" }).click();
  await expect(page.getByRole("alert")).toContainText("NOT_FOUND");
  await expect(page.getByRole("alert")).toContainText("there-is-none");
  await page.getByLabel("Endpoint").fill(endpoint);
  await expectAccessible(page);
  expect(await commandOf(page)).toBe(
    `temporal nexus operation start -n default --operation-id ${id} --endpoint ${endpoint} --service payments ` +
      "--operation charge -i 7",
  );
  await page.getByRole("button", { name: "Start operation" }).click();
  await expect(page.getByRole("heading", { name: id })).toBeVisible();
  await expect(page.locator("header [data-status=Running]")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Cancel…" }).click();
  await page.getByLabel("Reason").fill("not needed");
  await page.getByRole("button", { name: "Cancel operation" }).click();
  await expect(page.getByText("Cancellation was requested")).toBeVisible();
  await page.getByRole("button", { name: "Terminate…" }).click();
  await page.getByLabel("Reason").fill("enough");
  await page.getByRole("button", { name: "Terminate operation" }).click();
  await expect(page.locator("header [data-status=Terminated]")).toBeVisible();
  await page.getByRole("link", { name: "Standalone Nexus operations" }).click();
  await expect(page.getByRole("link", { name: id })).toBeVisible();
});

test("a namespace is created and changed", async ({ page }) => {
  const name = freshId("space");
  await page.goto("/namespaces");
  await page.getByRole("button", { name: "Create namespace" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("default");
  await dialog.getByRole("button", { name: "Create namespace" }).click();
  await expect(dialog.getByRole("alert")).toContainText("ALREADY_EXISTS");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Retention").fill("a while");
  await expect(dialog.getByText("`a while` is no duration")).toBeVisible();
  await dialog.getByLabel("Retention").fill("7d");
  await dialog.getByLabel("Owner").fill("team@example.com");
  await dialog.getByLabel("Data").fill("tier=gold");
  await expectAccessible(page);
  expect(await commandOf(page)).toBe(
    `temporal operator namespace create -n ${name} --retention 7d --email team@example.com --data tier=gold`,
  );
  await dialog.getByRole("button", { name: "Create namespace" }).click();
  await expect(page.getByRole("heading", { name })).toBeVisible();
  await expect(page.getByText("gold")).toBeVisible();
  await expect(page.getByText("7d", { exact: true })).toBeVisible();

  await page.getByRole("button", { name: "Change…" }).click();
  await expect(dialog.getByLabel("Retention")).toHaveValue("7d");
  await dialog.getByLabel("Retention").fill("36h");
  await dialog.getByLabel("Description").fill("for gold customers");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("for gold customers")).toBeVisible();
  await expect(page.getByText("1d 12h", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Change…" }).click();
  await expect(dialog.getByLabel("Retention")).toHaveValue("36h");
});

test("a search attribute is added and removed with the keyboard alone", async ({ page }) => {
  const name = freshId("City").replace(/-/g, "");
  await page.goto(NS);
  await expect(page.getByRole("button", { name: "Add search attribute" })).toBeVisible();
  await tabTo(page, "Add search attribute");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  await tabTo(page, "Name", "textbox", dialog);
  await page.keyboard.type("WorkflowType");
  await expect(dialog.getByText("There is one of this name already.")).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Add search attribute" })).toBeDisabled();
  await page.keyboard.press("Control+a");
  await page.keyboard.type(name);
  await page.keyboard.press("Tab");
  await page.keyboard.type("Int");
  await expectAccessible(page);
  expect(await commandOf(page)).toBe(
    `temporal operator search-attribute create -n default --name ${name} --type Int`,
  );
  await tabTo(page, "Add search attribute", "button", dialog);
  await page.keyboard.press("Enter");
  const own = page.getByRole("table", { name: "Search attributes: Of this namespace" });
  await expect(own.getByRole("row", { name: new RegExp(`${name}.*Int`) })).toBeVisible();
  await expect(dialog).toHaveCount(0);

  await tabTo(page, `Remove ${name}`);
  await page.keyboard.press("Enter");
  await expect(dialog).toContainText("can no longer be filtered by it");
  await tabTo(page, "Remove search attribute");
  await page.keyboard.press("Enter");
  await expect(page.getByText(name, { exact: true })).toHaveCount(0);
});

test("an endpoint's name and address are checked before they are sent", async ({ page }) => {
  const name = freshId("endpoint");
  await page.goto("/nexus");
  await page.getByRole("button", { name: "Create endpoint" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("1st");
  await expect(dialog.getByText("a letter first")).toBeVisible();
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByLabel("an address").check();
  await dialog.getByLabel("Address", { exact: true }).fill("ftp://x");
  await expect(dialog.getByText("http or https")).toBeVisible();
  await dialog.getByLabel("Address", { exact: true }).fill("https://nexus.example.com/");
  await expectAccessible(page);
  expect(await commandOf(page)).toBe(
    `temporal operator nexus endpoint create --name ${name} --target-url https://nexus.example.com/`,
  );
  await dialog.getByRole("button", { name: "Create", exact: true }).click();
  await expect(page.locator("article", { hasText: name })).toContainText("to https://nexus.example.com/");

  await page.getByRole("button", { name: "Create endpoint" }).click();
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByRole("textbox", { name: "Task queue" }).fill("q");
  await dialog.getByRole("button", { name: "Create", exact: true }).click();
  await expect(dialog.getByRole("alert")).toContainText("ALREADY_EXISTS");
});

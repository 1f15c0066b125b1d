import { expect, expectAccessible, freshId, test, workflowPath } from "./fixtures.js";

test("a schedule is created, triggered, paused, changed, backfilled and deleted", async ({ page }) => {
  const id = freshId("schedule");
  await page.goto("/namespaces/default/schedules");
  await page.getByRole("link", { name: "Create schedule" }).click();
  await page.getByLabel("Schedule id").fill(id);
  await page.getByLabel("Workflow type").fill("Echo");
  await page.getByLabel("Task queue").fill("ui");
  await page.getByLabel("Workflow id").fill(`${id}-run`);
  await page.getByLabel("Input: argument 1, as JSON").fill('{"from": "schedule"}');
  await page.getByLabel("Every").fill("1h30m");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create schedule" }).click();
  await expect(page.getByRole("heading", { name: id })).toBeVisible();
  await expect(page.getByText("every 1h 30m").first()).toBeVisible();
  await expectAccessible(page);

  await page.getByRole("button", { name: "Trigger" }).click();
  await expect(page.getByRole("table", { name: "Recent actions" }).locator("tbody tr")).toHaveCount(1);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByLabel("Note").fill("holidays");
  await page.getByRole("button", { name: "Pause schedule" }).click();
  await expect(page.locator("header [data-status=Paused]")).toBeVisible();
  await expect(page.locator(".note")).toHaveText("holidays");

  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Edit…" }).click();
  await expect(page.getByLabel("Every")).toHaveValue("1h30m");
  await expect(page.getByLabel("Paused")).toBeChecked();
  await page.getByLabel("Every").fill("2h");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("every 2h").first()).toBeVisible();
  await expect(page.locator("header [data-status=Paused]")).toBeVisible();
  await expect(page.getByText('"schedule"')).toBeVisible();

  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Backfill…" }).click();
  await page.getByLabel("From").fill("2026-01-01T00:00:00");
  await page.getByLabel("To", { exact: true }).fill("2026-01-01T05:00:00");
  await page.getByRole("button", { name: "Backfill", exact: true }).click();
  await expect(page.getByRole("table", { name: "Recent actions" }).locator("tbody tr")).toHaveCount(4);

  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("button", { name: "Delete schedule" }).click();
  await expect(page.getByRole("heading", { name: "Schedules" })).toBeVisible();
});

test("a Nexus endpoint is created, changed and deleted", async ({ page }) => {
  const name = freshId("endpoint");
  await page.goto("/nexus");
  await page.getByRole("button", { name: "Create endpoint" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("textbox", { name: "Task queue" }).fill("ui");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  const endpoint = page.locator("article", { hasText: name });
  await expect(endpoint).toContainText("to task queue ui in namespace default");
  await endpoint.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("textbox", { name: "Task queue" }).fill("elsewhere");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(endpoint).toContainText("to task queue elsewhere");
  await endpoint.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete endpoint" }).click();
  await expect(endpoint).toHaveCount(0);
});

const NS = "/namespaces/default";
const VIEWS: [string, string][] = [
  [`${NS}/workflows`, "Workflows"],
  [`${NS}/workflows?query=WorkflowType%20%3D%20%22None%22`, "Workflows"],
  [`${NS}/start-workflow`, "Start a workflow"],
  [`${NS}/schedules`, "Schedules"],
  [`${NS}/new-schedule`, "Create a schedule"],
  [`${NS}/batch-operations`, "Batch operations"],
  [`${NS}/workers`, "Workers"],
  [`${NS}/task-queues/ui`, "ui"],
  [`${NS}/deployments`, "Deployments"],
  [`${NS}/activities`, "Standalone activities"],
  [`${NS}/start-activity`, "Start an activity"],
  [`${NS}/nexus-operations`, "Standalone Nexus operations"],
  [`${NS}/start-nexus-operation`, "Start a Nexus operation"],
  [`${NS}/access`, "Access"],
  [NS, "default"],
  ["/namespaces", "Namespaces"],
  ["/nexus", "Nexus endpoints"],
  ["/audit", "Audit log"],
  ["/open-history", "Open a history"],
  ["/settings", "Settings"],
];

for (const theme of ["light", "dark"] as const) {
  for (const [path, heading] of VIEWS) {
    test(`${path} is there and accessible, ${theme}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme: theme });
      const refused: string[] = [];
      page.on("response", (response) => {
        // A server that signs nobody in need not know of sessions.
        const foreign = response.url().endsWith("/ui-api/session");
        if (response.status() >= 400 && !foreign) refused.push(response.url());
      });
      await page.goto(path);
      await expect(page.getByRole("heading", { name: heading, level: 1, exact: true })).toBeVisible();
      await expect(page.locator(".skeleton")).toHaveCount(0);
      await expectAccessible(page);
      expect(refused).toEqual([]);
    });
  }

  test(`every part of a workflow is accessible, ${theme}`, async ({ page, world }) => {
    await page.emulateMedia({ colorScheme: theme });
    const id = freshId("parts");
    await world.workers.obey({ start: "Order", id, args: [3], memo: { customer: "c" }, summary: "**s**" });
    await page.goto(workflowPath(id));
    await expect(page.getByTestId("stuck")).toBeVisible();
    const url = page.url();
    const tabs = ["timeline", "history", "pending", "stack", "queries", "updates", "relationships", "workers", "metadata"];
    for (const tab of [...tabs, "history&view=all&event=5", "history&view=json"]) {
      await page.goto(`${url}?tab=${tab}`);
      await expect(page.getByTestId("workflow-id")).toHaveText(id);
      await expect(page.locator(".skeleton")).toHaveCount(0);
      await expectAccessible(page);
    }
  });
}

test("the palette, the menus and the keys are accessible", async ({ page }) => {
  await page.goto(`${NS}/workflows`);
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog", { name: "Find anything" })).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Views" }).click();
  await expect(page.getByRole("menuitem", { name: "Failures" })).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
  await expectAccessible(page);
});

test("something that is not there says so, with the server's status", async ({ page }) => {
  await page.goto(workflowPath("there-is-none"));
  await expect(page.getByRole("alert")).toContainText("workflow not found for ID: there-is-none");
  await expect(page.getByRole("alert")).toContainText("NOT_FOUND");
  await page.goto("/no/such/page");
  await expect(page.getByText("There is no such page")).toBeVisible();
});

test("times are relative, local or in UTC, as the settings say", async ({ page, world }) => {
  const id = freshId("times");
  await world.workers.obey({ start: "Order", id, args: [3] });
  await page.goto("/settings");
  await page.getByLabel("UTC").check();
  await page.getByLabel("Dark").check();
  await page.goto(workflowPath(id));
  await expect(page.locator(".facts time").first()).toHaveText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC$/);
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});

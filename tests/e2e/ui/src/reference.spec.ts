/** The pages in front of the reference, by `longtide ui`. */

import { expect, expectAccessible, freshId, openPart, refusals, test } from "./fixtures.js";
import { isLongtide, type Started, startReference, startUiInFront, Workers } from "./processes.js";

test.skip(!isLongtide, "the program under test has no such command");

let reference: Started;
let workers: Workers;
let ui: { url: string; close: () => Promise<void> };

test.beforeAll(async () => {
  reference = await startReference();
  workers = new Workers(reference.address);
  await workers.ready;
  ui = await startUiInFront(reference.address);
});
test.afterAll(async () => {
  await ui?.close();
  await workers?.close();
  await reference?.close();
});

const NS = "/namespaces/default";

test("a workflow of the reference is started, watched, signalled and terminated", async ({ page }) => {
  const id = freshId("reference");
  await page.goto(`${ui.url}${NS}/start-workflow`);
  await page.getByLabel("Workflow id").fill(id);
  await page.getByLabel("Type", { exact: true }).fill("Order");
  await page.getByLabel("Task queue").fill("ui");
  await page.getByLabel("Input: argument 1, as JSON").fill("250");
  await page.getByRole("button", { name: "Start workflow" }).click();
  await expect(page.getByTestId("workflow-id")).toHaveText(id);
  await expect(page.getByTestId("stuck")).toBeVisible();
  await openPart(page, "Queries");
  await page.getByRole("button", { name: "Query" }).click();
  await expect(page.getByRole("region", { name: "Answer" })).toContainText('"waiting"');
  await page.getByRole("button", { name: "Signal" }).click();
  await page.getByRole("button", { name: "Send signal" }).click();
  await expect(page.locator("header [data-status=Completed]")).toBeVisible();
  await expect(page.getByRole("region", { name: "Result" })).toContainText("charged 250");
  await expectAccessible(page);

  const other = freshId("reference");
  await workers.obey({ start: "Order", id: other, args: [1] });
  await page.goto(`${ui.url}${NS}/workflows`);
  await page.getByRole("link", { name: other }).click();
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Terminate…" }).click();
  await page.getByLabel("Reason").fill("enough");
  await page.getByRole("button", { name: "Terminate workflow" }).click();
  await expect(page.locator("header [data-status=Terminated]")).toBeVisible();
});

test("lists of the reference tell of changes, although it has no streams", async ({ page }) => {
  const id = freshId("told");
  const stream = page.waitForResponse((response) => response.url().includes("/workflows/stream"));
  await page.goto(`${ui.url}${NS}/workflows?query=${encodeURIComponent(`WorkflowId = "${id}"`)}`);
  expect((await stream).status()).toBe(200);
  await workers.obey({ start: "Order", id, args: [1] });
  await expect(page.getByRole("link", { name: id })).toBeVisible();
});

test("a namespace, a search attribute and an endpoint of the reference are made", async ({ page }) => {
  const [space, attribute] = [freshId("space"), freshId("City").replace(/-/g, "")];
  await page.goto(`${ui.url}/namespaces`);
  await page.getByRole("button", { name: "Create namespace" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill(space);
  await page.getByRole("dialog").getByRole("button", { name: "Create namespace" }).click();
  await expect(page.getByRole("heading", { name: space })).toBeVisible();

  await page.goto(`${ui.url}${NS}`);
  await page.getByRole("button", { name: "Add search attribute" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill(attribute);
  await page.getByRole("dialog").getByRole("button", { name: "Add search attribute" }).click();
  await expect(page.getByText(attribute, { exact: true })).toBeVisible();

  const endpoint = freshId("endpoint");
  await page.goto(`${ui.url}/nexus`);
  await page.getByRole("button", { name: "Create endpoint" }).click();
  await page.getByLabel("Name", { exact: true }).fill(endpoint);
  await page.getByRole("textbox", { name: "Task queue" }).fill("ui");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await expect(page.locator("article", { hasText: endpoint })).toBeVisible();
});

const VIEWS: [string, string][] = [
  [`${NS}/workflows`, "Workflows"],
  [`${NS}/schedules`, "Schedules"],
  [`${NS}/activities`, "Standalone activities"],
  [`${NS}/nexus-operations`, "Standalone Nexus operations"],
  [`${NS}/batch-operations`, "Batch operations"],
  [`${NS}/workers`, "Workers"],
  [`${NS}/task-queues/ui`, "ui"],
  [`${NS}/deployments`, "Deployments"],
  [NS, "default"],
  ["/namespaces", "Namespaces"],
  ["/nexus", "Nexus endpoints"],
  [`${NS}/access`, "Access"],
];

for (const [path, heading] of VIEWS) {
  test(`${path} of the reference is shown without a refusal`, async ({ page }) => {
    const refused = refusals(page);
    await page.goto(`${ui.url}${path}`);
    await expect(page.getByRole("heading", { name: heading, level: 1, exact: true })).toBeVisible();
    await expect(page.locator(".skeleton")).toHaveCount(0);
    expect(refused).toEqual([]);
  });
}

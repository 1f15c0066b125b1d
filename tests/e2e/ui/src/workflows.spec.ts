import { expect, expectAccessible, freshId, listed, openPart, test, workflowPath } from "./fixtures.js";

test("a workflow is started, watched, queried, updated, signalled and seen to complete", async ({ page }) => {
  const id = freshId("order");
  await page.goto("/namespaces/default/start-workflow");
  await page.getByLabel("Workflow id").fill(id);
  await page.getByLabel("Type", { exact: true }).fill("Order");
  await page.getByLabel("Task queue").fill("ui");
  await page.getByLabel("Input: argument 1, as JSON").fill("{");
  await page.getByRole("button", { name: "Start workflow" }).click();
  await expect(page.getByRole("alert")).toContainText("argument 1 is no JSON");
  await page.getByLabel("Input: argument 1, as JSON").fill("250");
  await page.getByText("More options").click();
  await page.getByLabel("Summary").fill("an order of **250**");
  await page.getByRole("button", { name: "Start workflow" }).click();

  await expect(page.getByTestId("workflow-id")).toHaveText(id);
  await expect(page.locator(".workflow-summary strong")).toHaveText("250");
  await expect(page.getByTestId("stuck")).toContainText("waits for a timer, a signal or an update");

  await openPart(page, "Queries");
  await expect(page.getByLabel("Query", { exact: true })).toHaveValue("status");
  await page.getByRole("button", { name: "Query" }).click();
  await expect(page.getByRole("region", { name: "Answer" })).toContainText('"waiting"');

  await openPart(page, "Call stack");
  await expect(page.locator(".stack-trace")).toContainText("Task pending");

  await page.getByRole("button", { name: "Update", exact: true }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel("Input: argument 1, as JSON").fill('""');
  await page.getByRole("button", { name: "Send update" }).click();
  await expect(page.getByRole("region", { name: "Outcome" })).toContainText("a note needs words");
  await page.getByLabel("Input: argument 1, as JSON").fill('"careful"');
  await page.getByRole("button", { name: "Send again" }).click();
  await expect(page.getByRole("region", { name: "Outcome" })).toContainText("1");
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Signal" }).click();
  await expect(page.getByRole("dialog").getByLabel("Signal", { exact: true })).toHaveValue("approve");
  await page.getByRole("button", { name: "Send signal" }).click();
  await expect(page.locator("header [data-status=Completed]")).toBeVisible();
  await expect(page.getByRole("region", { name: "Result" })).toContainText("charged 250, 1 notes");

  await openPart(page, "Updates");
  await expect(page.getByRole("heading", { name: "note" })).toBeVisible();
});

test("a workflow is found, opened and terminated with the keyboard alone", async ({ page, world }) => {
  const id = freshId("keyboard");
  await world.workers.obey({ start: "Order", id, args: [1] });
  await listed(world.server.http, `WorkflowId = "${id}"`);
  await page.goto("/namespaces/default/schedules");
  await expect(page.getByRole("heading", { name: "Schedules" })).toBeVisible();

  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toContainText("Find anything");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("w");
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  await page.keyboard.press("/");
  await page.keyboard.type(id);
  await page.keyboard.press("Enter");
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("workflow-id")).toHaveText(id);
  await page.keyboard.press("t");
  await expect(page.getByRole("dialog")).toContainText("cannot be undone");
  await page.getByLabel("Reason").focus();
  await page.keyboard.type("no longer needed");
  await page.keyboard.press("Enter");
  await expect(page.locator("header [data-status=Terminated]")).toBeVisible();
  await expect(page.getByRole("region", { name: "Result" })).toContainText("no longer needed");
  // The palette leads back by a name.
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog", { name: "Find anything" })).toBeVisible();
  await page.keyboard.type("batch oper");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Batch operations" })).toBeVisible();
});

test("a workflow that fails says why, and its timeline is told in words", async ({ page, world }) => {
  const id = freshId("failing");
  await world.workers.obey({ start: "Failing", id, args: ["out of stock"] });
  await page.goto(workflowPath(id));
  await expect(page.locator("header [data-status=Failed]")).toBeVisible();
  await expect(page.getByRole("region", { name: "Failure" })).toContainText("out of stock");
  await expect(page.getByRole("region", { name: "Failure" })).toContainText("Refused");
  await page.getByTestId("timeline").focus();
  await page.keyboard.press("ArrowDown");
  await expect(page.locator("#timeline-current")).toContainText("Event 1: Workflow Failing, failed");
  await expect(page).toHaveURL(/event=1/);
  await expect(page.getByRole("complementary")).toContainText("Workflow execution failed");
  await expectAccessible(page);
});

test("what keeps a workflow from going on is named", async ({ page, world }) => {
  const [lonely, refused] = [freshId("lonely"), freshId("refused")];
  await world.workers.obey({ start: "Echo", id: lonely, args: [1], queue: "nobody-polls" });
  await world.workers.obey({ start: "Order", id: refused, args: [-1] });
  await page.goto(workflowPath(lonely));
  await expect(page.getByTestId("stuck")).toContainText("No worker polls the task queue nobody-polls");
  await page.goto(workflowPath(refused));
  await expect(page.getByTestId("stuck")).toContainText(/charge \(1\) fails: attempt [2-9]/);

  await openPart(page, "Pending");
  const activity = page.getByRole("article", { name: "Activity 1" });
  await expect(activity).toContainText("card refused");
  await activity.getByRole("button", { name: "Pause" }).click();
  await page.getByLabel("Reason").fill("the card is looked at");
  await page.getByRole("button", { name: "Pause activity" }).click();
  await expect(page.getByTestId("stuck")).toContainText("Activity charge (1) is paused");
  await expectAccessible(page);
  await activity.getByRole("button", { name: "Unpause" }).click();
  await expect(page.getByTestId("stuck")).not.toContainText("is paused");
});

test("a workflow is reset, and its runs are listed", async ({ page, world }) => {
  const id = freshId("reset");
  const first = await world.workers.obey({ start: "Echo", id, args: ["again"] });
  await page.goto(`${workflowPath(id)}/${first}`);
  await expect(page.locator("header [data-status=Completed]")).toBeVisible();
  await page.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: "Reset…" }).click();
  await page.getByLabel("Reason").fill("once more");
  await page.getByRole("button", { name: "Reset workflow" }).click();
  await expect(page).not.toHaveURL(new RegExp(first));
  await expect(page.locator("header [data-status=Completed]")).toBeVisible();
  await openPart(page, "Relationships");
  await expect(page.getByRole("table", { name: "Runs" }).locator("tbody tr")).toHaveCount(2);
});

test("a family of workflows is shown", async ({ page, world }) => {
  const id = freshId("parent");
  await world.workers.obey({ start: "Parent", id, args: [3] });
  await world.workers.obey({ wait: id });
  await listed(world.server.http, `ParentWorkflowId = "${id}"`, 3);
  await page.goto(`${workflowPath(id)}`);
  await openPart(page, "Relationships");
  await expect(page.getByRole("table", { name: "Children" }).locator("tbody tr")).toHaveCount(3);
  await page.getByRole("table", { name: "Children" }).getByRole("link").first().click();
  await expect(page.getByText("Parent", { exact: true })).toBeVisible();
});

test("a list is filtered by conditions and by text, and the address holds the filter", async ({ page, world }) => {
  const id = freshId("filter");
  await world.workers.obey({ start: "Echo", id: `${id}-a`, args: [1] });
  await world.workers.obey({ start: "Failing", id: `${id}-b`, args: ["x"] });
  await listed(world.server.http, `WorkflowId STARTS_WITH "${id}" AND ExecutionStatus != "Running"`, 2);
  await page.goto("/namespaces/default/workflows");
  await page.getByLabel("Workflow id, or a condition").fill(id);
  await page.keyboard.press("Enter");
  await expect(page.locator("tbody tr")).toHaveCount(2);
  await page.getByRole("button", { name: /^Failed/ }).click();
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.getByRole("button", { name: "Text" }).click();
  await expect(page.getByLabel("Filter as text")).toHaveValue(
    `ExecutionStatus = "Failed" AND WorkflowId STARTS_WITH "${id}"`,
  );
  await page.getByLabel("Filter as text").fill("WorkflowId =");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("INVALID_ARGUMENT");
  await page.goBack();
  await expect(page.locator("tbody tr")).toHaveCount(1);
  await page.reload();
  await expect(page.locator("tbody tr")).toHaveCount(1);
});

test("many workflows are terminated at once, after a dry run", async ({ page, world }) => {
  const id = freshId("many");
  for (let at = 0; at < 12; at += 1) {
    await world.workers.obey({ start: "Order", id: `${id}-${at}`, args: [at] });
  }
  const query = `WorkflowId STARTS_WITH "${id}"`;
  await listed(world.server.http, query, 12);
  await page.goto(`/namespaces/default/workflows?query=${encodeURIComponent(query)}`);
  await expect(page.locator("tbody tr")).toHaveCount(12);
  await page.getByLabel("Select the rows of this page").check();
  await page.getByRole("region", { name: "Selected workflows" }).getByRole("button", { name: "Terminate…" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("This would terminate 12 workflows");
  await expectAccessible(page);
  await dialog.getByLabel("Reason").fill("a test");
  await expect(dialog.getByRole("button", { name: /^Terminate/ })).toBeDisabled();
  await dialog.getByLabel(/type how many/).fill("12");
  await dialog.getByRole("button", { name: /^Terminate/ }).click();
  await page.getByRole("link", { name: "See how it goes" }).click();
  await expect(page.locator("header [data-status=Completed]")).toBeVisible({ timeout: 40_000 });
  await expect(page.getByText("12 of 12 done")).toBeVisible();
  await listed(world.server.http, `${query} AND ExecutionStatus = "Terminated"`, 12);
});

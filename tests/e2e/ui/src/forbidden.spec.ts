import { expect, freshId, test, workflowPath } from "./fixtures.js";
import { isLongtide, startServer, Workers } from "./processes.js";

test.skip(!isLongtide, "the reference's settings are those of another program");

test("what the operator forbids is shown so, with why", async ({ page }) => {
  const server = await startServer(undefined, { TEMPORAL_WORKFLOW_TERMINATE_DISABLED: "true" });
  const workers = new Workers(server.address);
  await workers.ready;
  try {
    const id = freshId("limited");
    await workers.obey({ start: "Order", id, args: [1] });
    await page.goto(`${server.pages}${workflowPath(id)}`);
    await page.getByRole("button", { name: "Actions" }).click();
    const terminate = page.getByRole("menuitem", { name: "Terminate…" });
    await expect(terminate).toBeDisabled();
    await expect(terminate).toHaveAttribute("title", "The operator has turned this off here.");
    await expect(page.getByRole("menuitem", { name: "Cancel…" })).toBeEnabled();
    await page.keyboard.press("Escape");
    await page.keyboard.press("t");
    await expect(page.getByRole("dialog")).toContainText("The operator has turned this off here.");
    await expect(page.getByRole("button", { name: "Terminate workflow" })).toBeDisabled();
  } finally {
    await workers.close();
    await server.close();
  }
});

test("where only reading is allowed nothing can be sent", async ({ page }) => {
  const server = await startServer(undefined, { TEMPORAL_DISABLE_WRITE_ACTIONS: "true" });
  try {
    await page.goto(`${server.pages}/namespaces/default/start-workflow`);
    await expect(page.getByText("The operator allows only to read here.")).toBeVisible();
    await expect(page.getByRole("button", { name: "Start workflow" })).toBeDisabled();
  } finally {
    await server.close();
  }
});

/** The pictures of the guide that show signing in and what follows: `npm run pictures`. */

import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { expect, signIn, test } from "./signing-in.js";

const folder = fileURLToPath(new URL("../../../../docs/images/", import.meta.url));

/** Draws the page as it is. */
async function draw(page: Page, name: string): Promise<void> {
  await expect(page.locator(".skeleton")).toHaveCount(0);
  await page.screenshot({ path: `${folder}web-ui-${name}.png`, animations: "disabled", caret: "hide" });
}

test("pictures", async ({ page, browser, world }) => {
  await page.setViewportSize({ width: 1280, height: 640 });
  await page.goto("/namespaces/default/workflows");
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await draw(page, "sign-in");
  for (const account of ["writer", "owner"]) {
    const context = await browser.newContext({ baseURL: world.url });
    const other = await context.newPage();
    await signIn(other, account);
    if (account === "writer") {
      await other.goto("/namespaces/default/start-workflow");
      await other.getByLabel("Workflow id").fill("order-1042");
      await other.getByLabel("Type", { exact: true }).fill("Order");
      await other.getByLabel("Task queue").fill("orders");
      await other.getByRole("button", { name: "Start workflow" }).click();
      await expect(other.getByTestId("workflow-id")).toHaveText("order-1042");
      await other.goto("/namespaces/default/access?find=workflow");
      await expect(other.getByRole("region", { name: "You" })).toBeVisible();
      await other.setViewportSize({ width: 1280, height: 640 });
      await draw(other, "access");
    }
    await context.close();
  }
  await signIn(page, "admin", "/audit?decision=allowed");
  await expect(page.getByRole("table", { name: "Records" })).toContainText("order-1042");
  await page.setViewportSize({ width: 1280, height: 800 });
  await draw(page, "audit");
  await page.setViewportSize({ width: 1280, height: 480 });
  await page.goto("/sessions");
  await expect(page.getByRole("table", { name: "Sessions" })).toContainText("writer@example.com");
  await draw(page, "sessions");
});

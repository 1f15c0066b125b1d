import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.js";

const LIST = "/namespaces/default/workflows";
/** The parts of the program that the palette needs and the first page does not. */
const PARTS = /\/(CommandPalette|Picker)-[^/]*\.js$/;

/** Keeps the palette away until it is let go; tells when it was asked for. */
async function held(page: Page): Promise<{ asked: Promise<unknown>; letGo: () => void }> {
  let letGo = (): void => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const asked = page.waitForRequest(PARTS);
  await page.route(PARTS, async (route) => {
    await gate;
    await route.continue();
  });
  return { asked, letGo };
}

test("what is typed before the palette has arrived is not lost", async ({ page }) => {
  const { asked, letGo } = await held(page);
  await page.goto(LIST);
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("sched");
  await asked;
  const early = page.getByRole("dialog", { name: "Find anything" });
  await expect(early).toHaveAttribute("aria-busy", "true");
  await expect(early).toContainText("sched");
  await page.keyboard.type("xx");
  await page.keyboard.press("Backspace");
  await page.keyboard.press("Backspace");
  letGo();
  const field = page.getByRole("combobox", { name: "Find anything" });
  await expect(field).toBeFocused();
  await expect(field).toHaveValue("sched");
  await page.keyboard.type("ule");
  await expect(field).toHaveValue("schedule");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Schedules" })).toBeVisible();
});

test("Enter and Escape that come before the palette mean what they say", async ({ page }) => {
  const { letGo } = await held(page);
  await page.goto(LIST);
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("x");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  // The page has its keys again.
  await page.keyboard.type("gs");
  await expect(page.getByRole("heading", { name: "Schedules" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("batch operations");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Find anything" })).toHaveAttribute("aria-busy", "true");
  letGo();
  await expect(page.getByRole("heading", { name: "Batch operations" })).toBeVisible();
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("a palette that is there already takes what is typed at once", async ({ page }) => {
  await page.goto(LIST);
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Find anything" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.evaluate(() => {
    const press = (key: string, ctrlKey = false): boolean =>
      (document.activeElement ?? document.body).dispatchEvent(
        new KeyboardEvent("keydown", { key, ctrlKey, bubbles: true, cancelable: true }),
      );
    // All in one task: nothing is drawn between them.
    press("k", true);
    for (const key of ["s", "c", "h", "e", "d", "Enter"]) press(key);
  });
  await expect(page.getByRole("heading", { name: "Schedules" })).toBeVisible();
});

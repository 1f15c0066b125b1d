import { expect, test } from "./fixtures.js";
import { openLongHistory, placeOf, scroll, show, VIEWS } from "./long-history.js";

const FRAMES = 200;
/** What a fast turn of the wheel moves in a frame. */
const STEP_PX = 300;
/** Some windows of rows, above and below what is seen. */
const ROWS_MAX = 200;
/** What is laid out for a step: the rows that come, and what measures them. */
const LAYOUTS_OF_STEP_MAX = 6;

test("a history of 50,000 events is loaded, and scrolling touches few rows of it", async ({ page, world }) => {
  test.setTimeout(6 * 60_000);
  await openLongHistory(page, world.workers);
  const browser = await page.context().newCDPSession(page);
  await browser.send("Performance.enable");
  const layouts = async (): Promise<number> => {
    const { metrics } = await browser.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "LayoutCount")?.value ?? Number.NaN;
  };
  for (const view of VIEWS) {
    await show(page, view);
    const before = await layouts();
    const { rowsMin, rowsMax, longTasks } = await scroll(page, view, FRAMES, STEP_PX);
    const laidOut = (await layouts()) - before;
    console.log(`\n${view}: ${rowsMin} to ${rowsMax} rows, ${laidOut} layouts, ${longTasks} long tasks`);
    // Counts, and no times: how fast the machine is makes no difference to them.
    expect(rowsMin).toBeGreaterThan(0);
    expect(rowsMax).toBeLessThan(ROWS_MAX);
    expect(laidOut).toBeLessThan(FRAMES * LAYOUTS_OF_STEP_MAX);
    // Even a machine that does much else does not need 50 ms for each step.
    expect(longTasks).toBeLessThan(FRAMES);
    // The last rows are there.
    if (view !== "timeline") await expect(placeOf(page, view).locator("[data-event-id]").last()).toBeVisible();
    expect(await page.locator("main *").count()).toBeLessThan(2_000);
  }
});

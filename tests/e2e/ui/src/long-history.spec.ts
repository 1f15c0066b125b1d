import { expect, freshId, test, workflowPath } from "./fixtures.js";

/** Two events each, and the limit of a history is 51,200. */
const TIMERS = 24_900;
const FRAMES = 200;
/** What a fast turn of the wheel moves in a frame. */
const STEP_PX = 300;
/** A frame in which nothing else is done takes 17 ms; these machines draw without a graphics card. */
const FRAME_MS_MAX = 50;

test("a history of 50,000 events is loaded, and scrolls fluently", async ({ page, world }) => {
  test.setTimeout(6 * 60_000);
  const id = freshId("long");
  await world.workers.obey({ start: "Long", id, args: [TIMERS] });
  await world.workers.obey({ wait: id });
  const begun = Date.now();
  await page.goto(workflowPath(id));
  await expect(page.getByTestId("history-count")).toHaveText(/^(49|50),\d{3} events$/, { timeout: 120_000 });
  console.log(`\nloaded in ${Date.now() - begun} ms`);
  for (const [tab, testId] of [
    ["", "timeline"],
    ["?tab=history", "history-list"],
    ["?tab=history&view=all", "history-list"],
  ] as const) {
    if (tab !== "") {
      await page.getByRole("link", { name: "History", exact: true }).click();
      if (tab.includes("all")) await page.getByRole("button", { name: "All events" }).click();
    }
    const place = page.getByTestId(testId);
    await expect(place).toBeVisible();
    const times = await place.evaluate(async (element, [frames, step]) => {
      const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
      const found: number[] = [];
      let before = await frame();
      for (let at = 0; at < frames; at += 1) {
        element.scrollTop += step;
        const now = await frame();
        found.push(now - before);
        before = now;
      }
      element.scrollTop = element.scrollHeight;
      await frame();
      return found.sort((a, b) => a - b);
    }, [FRAMES, STEP_PX] as const);
    const median = times[Math.floor(FRAMES / 2)] ?? 0;
    const slow = times[Math.floor(FRAMES * 0.95)] ?? 0;
    console.log(`frames of ${testId}${tab}: median ${median.toFixed(1)} ms, 95 % within ${slow.toFixed(1)} ms`);
    expect(median).toBeLessThan(FRAME_MS_MAX);
    // The last rows are there.
    if (testId === "history-list") await expect(place.locator("[data-event-id]").last()).toBeVisible();
  }
  expect(await page.locator("main *").count()).toBeLessThan(2_000);
});

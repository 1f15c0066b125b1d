/** Frames per second while a history of 50,000 events is scrolled: `npm run measure`. */

import { loadavg } from "node:os";
import { test } from "./fixtures.js";
import { openLongHistory, scroll, show, VIEWS } from "./long-history.js";

const FRAMES = 600;
const STEP_PX = 300;

test("frames per second", async ({ page, world }) => {
  test.setTimeout(10 * 60_000);
  const begun = Date.now();
  await openLongHistory(page, world.workers);
  console.log(`\nmade and loaded in ${Date.now() - begun} ms`);
  for (const view of VIEWS) {
    await show(page, view);
    const load = loadavg()[0] ?? 0;
    const { times, longTasks } = await scroll(page, view, FRAMES, STEP_PX);
    const total = times.reduce((sum, time) => sum + time, 0);
    const sorted = [...times].sort((a, b) => a - b);
    const at = (part: number): string => (sorted[Math.floor(FRAMES * part)] ?? 0).toFixed(1);
    console.log(
      `${view}: ${((FRAMES * 1000) / total).toFixed(1)} frames/s, median ${at(0.5)} ms, 95 % within ${at(0.95)} ms, ` +
        `${longTasks} long tasks, load ${load.toFixed(1)}`,
    );
  }
});

/** A history of nearly 50,000 events, the views that show it, and scrolling in them. */

import type { Page } from "@playwright/test";
import { expect, freshId, openPart, workflowPath } from "./fixtures.js";
import type { Workers } from "./processes.js";

/** Two events each, and the limit of a history is 51,200. */
const TIMERS = 24_900;

export const VIEWS = ["timeline", "groups", "events"] as const;
export type View = (typeof VIEWS)[number];

/** Makes the history, and opens it. */
export async function openLongHistory(page: Page, workers: Workers): Promise<void> {
  const id = freshId("long");
  await workers.obey({ start: "Long", id, args: [TIMERS] });
  await workers.obey({ wait: id });
  await page.goto(workflowPath(id));
  await expect(page.getByTestId("history-count")).toHaveText(/^(49|50),\d{3} events$/, { timeout: 120_000 });
}

/** Shows a view of it; they are shown in their order. */
export async function show(page: Page, view: View): Promise<void> {
  if (view === "groups") await openPart(page, "History");
  if (view === "events") await page.getByRole("button", { name: "All events" }).click();
  await expect(placeOf(page, view)).toBeVisible();
}

export const placeOf = (page: Page, view: View) => page.getByTestId(view === "timeline" ? "timeline" : "history-list");

export interface Scrolled {
  /** How long each frame took, in milliseconds, in their order. */
  times: number[];
  /** The most and the fewest rows that there were at once. */
  rowsMax: number;
  rowsMin: number;
  /** Tasks that took longer than 50 ms. */
  longTasks: number;
}

/** Scrolls a step in each of so many frames, and to the end. */
export function scroll(page: Page, view: View, frames: number, stepPx: number): Promise<Scrolled> {
  // The timeline draws its rows: whatever is in it counts.
  const rows = view === "timeline" ? "*" : "[data-event-id]";
  return placeOf(page, view).evaluate(
    async (element, [count, step, selector]) => {
      const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
      let longTasks = 0;
      const observer = new PerformanceObserver((list) => {
        longTasks += list.getEntries().length;
      });
      observer.observe({ type: "longtask" });
      const times: number[] = [];
      const found: number[] = [];
      let before = await frame();
      for (let at = 0; at < count; at += 1) {
        element.scrollTop += step;
        const now = await frame();
        times.push(now - before);
        found.push(element.querySelectorAll(selector).length);
        before = now;
      }
      element.scrollTop = element.scrollHeight;
      await frame();
      await frame();
      longTasks += observer.takeRecords().length;
      observer.disconnect();
      return { times, rowsMax: Math.max(...found), rowsMin: Math.min(...found), longTasks };
    },
    [frames, stepPx, rows] as const,
  );
}

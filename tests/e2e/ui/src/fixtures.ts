import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";
import { type Started, startPages, startServer, until, Workers } from "./processes.js";
import { test as base } from "./problems.js";

interface World {
  server: Started;
  workers: Workers;
  pages: { url: string };
}

/** Every test has the same server; the ids of its workflows are its own. */
export const test = base.extend<object, { world: World }>({
  world: [
    // biome-ignore lint/correctness/noEmptyPattern: the form that fixtures have
    async ({}, use) => {
      const server = await startServer();
      const workers = new Workers(server.address);
      await workers.ready;
      const pages = server.pages ? { url: server.pages, close: () => {} } : await startPages(server.http);
      await use({ server, workers, pages });
      pages.close();
      await workers.close();
      await server.close();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  baseURL: async ({ world }, use) => use(world.pages.url),
});

/** The rules of WCAG 2.2, levels A and AA. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Nothing that axe can find is wrong with the page. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(" ")} — ${node.failureSummary}`).join("; ")}`,
  );
  expect(found).toEqual([]);
}

let count = 0;
/** An id that no other test uses. */
export function freshId(name: string): string {
  count += 1;
  return `${name}-${count}-${Date.now().toString(36)}`;
}

export const workflowPath = (id: string): string => `/namespaces/default/workflows/${encodeURIComponent(id)}`;

/** Keeps what the server refuses while a page is open. */
export function refusals(page: Page): string[] {
  const refused: string[] = [];
  page.on("response", (response) => {
    if (response.status() >= 400) refused.push(`${response.status()} ${response.url()}`);
  });
  return refused;
}

/** The command that a form offers; it is in the button's title, too, where nothing may be copied. */
export const commandOf = async (page: Page): Promise<string> =>
  (await page.getByRole("button", { name: "Copy as command" }).getAttribute("title")) ?? "";

/** Waits until lists show a workflow: they may lag behind. */
export const listed = (http: string, query: string, least = 1): Promise<number> =>
  until(`${least} workflows of ${query}`, async () => {
    const url = `${http}/api/v1/namespaces/default/workflow-count?query=${encodeURIComponent(query)}`;
    const { count: found = "0" } = (await (await fetch(url)).json()) as { count?: string };
    return Number(found) >= least && Number(found);
  });

/**
 * Opens a part of a workflow's page with the keyboard: what stands above grows and shrinks with what
 * the workflow does, and a click may land where the link was.
 */
export async function openPart(page: Page, name: string): Promise<void> {
  const parts = page.getByRole("navigation", { name: "Parts of the workflow" });
  await parts.getByRole("link", { name }).press("Enter");
}

export { expect };

import type { Page } from "@playwright/test";
import { expect, freshId, openPart, test, workflowPath } from "./fixtures.js";

/** The paths that a page asks for from now on. */
function asked(page: Page): string[] {
  const paths: string[] = [];
  page.on("request", (request) => paths.push(new URL(request.url()).pathname));
  return paths;
}

const LIST = "/api/v1/namespaces/default/workflows";
const signal = (http: string, id: string): Promise<Response> =>
  fetch(`${http}${LIST}/${id}/signal/ping-${id}`, { method: "POST", body: "{}" });

test("a list hears of changes, and asks for nothing meanwhile", async ({ page, world }) => {
  const id = freshId("told");
  const paths = asked(page);
  await page.goto(`/namespaces/default/workflows?query=${encodeURIComponent(`WorkflowId = "${id}"`)}`);
  await expect(page.getByText("No workflow fits this filter")).toBeVisible();
  await expect.poll(() => paths.filter((path) => path.endsWith("/workflows/stream")).length).toBe(1);
  // What the first rows of the stream have set off is over.
  await page.waitForLoadState("domcontentloaded");
  await page.waitForTimeout(2_000);
  const before = paths.filter((path) => path === LIST).length;
  await page.waitForTimeout(8_000);
  expect(paths.filter((path) => path === LIST)).toHaveLength(before);
  await world.workers.obey({ start: "Order", id, args: [1] });
  await expect(page.getByRole("link", { name: id })).toBeVisible();
  expect(paths.filter((path) => path === LIST).length).toBeGreaterThan(before);
});

test("a workflow's events come as they are written", async ({ page, world }) => {
  const id = freshId("sent");
  await world.workers.obey({ start: "Order", id, args: [1] });
  const paths = asked(page);
  await page.goto(workflowPath(id));
  await expect(page.getByTestId("stuck")).toBeVisible();
  await openPart(page, "History");
  await expect.poll(() => paths.some((path) => path.endsWith("/history/stream"))).toBe(true);
  const polls = (): number => paths.filter((path) => path.endsWith("/history")).length;
  const before = polls();
  expect((await signal(world.server.http, id)).status).toBe(200);
  await expect(page.getByText(`ping-${id}`).first()).toBeVisible();
  expect(polls()).toBe(before);
});

test("a server that has no streams is asked again and again", async ({ page, world }) => {
  const id = freshId("polled");
  const none = { status: 404, json: { code: 5, message: "Not Found" } };
  await page.route("**/ui-api/**", (route) => route.fulfill(none));
  await page.goto(`/namespaces/default/workflows?query=${encodeURIComponent(`WorkflowId = "${id}"`)}`);
  await expect(page.getByText("No workflow fits this filter")).toBeVisible();
  await world.workers.obey({ start: "Order", id, args: [1] });
  await page.getByRole("link", { name: id }).click();
  await expect(page.getByTestId("stuck")).toBeVisible();
  expect((await signal(world.server.http, id)).status).toBe(200);
  await openPart(page, "History");
  await expect(page.getByText(`ping-${id}`).first()).toBeVisible();
});

/** Lists besides that of workflows: their pages, their paths of the API, and how something is added. */
const OTHERS: [name: string, page: string, path: string, add: (http: string, id: string) => Promise<Response>][] = [
  [
    "schedules",
    "/namespaces/default/schedules",
    "/api/v1/namespaces/default/schedules",
    (http, id) =>
      post(`${http}/api/v1/namespaces/default/schedules/${id}`, {
        schedule: {
          spec: { interval: [{ interval: "3600s" }] },
          action: { startWorkflow: { workflowId: id, workflowType: { name: "Echo" }, taskQueue: { name: "ui" } } },
        },
        requestId: id,
      }),
  ],
  [
    "standalone activities",
    "/namespaces/default/activities",
    "/api/v1/namespaces/default/activities",
    (http, id) =>
      post(`${http}/api/v1/namespaces/default/activities/${id}`, {
        activityType: { name: "a" },
        taskQueue: { name: "nobody" },
        startToCloseTimeout: "60s",
        requestId: id,
      }),
  ],
  [
    "Nexus endpoints",
    "/nexus",
    "/api/v1/nexus/endpoints",
    (http, id) =>
      post(`${http}/api/v1/nexus/endpoints`, {
        spec: { name: id, target: { worker: { namespace: "default", taskQueue: "ui" } } },
      }),
  ],
];

const post = (url: string, body: object): Promise<Response> =>
  fetch(url, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });

for (const [name, path, api, add] of OTHERS) {
  test(`the list of ${name} hears of changes, and asks for nothing meanwhile`, async ({ page, world }) => {
    const id = freshId("heard");
    const paths = asked(page);
    const stream = page.waitForResponse((response) => response.url().includes(`${api.replace("/api/v1", "/ui-api")}/stream`));
    await page.goto(path);
    expect((await stream).status()).toBe(200);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator(".skeleton")).toHaveCount(0);
    const before = paths.filter((one) => one === api).length;
    // Longer than a page waits that asks again and again.
    await page.waitForTimeout(11_000);
    expect((await add(world.server.http, id)).status).toBe(200);
    await expect(page.getByText(id).first()).toBeVisible();
    expect(paths.filter((one) => one === api)).toHaveLength(before);
  });
}

test("the list of schedules of a server without streams is asked again", async ({ page, world }) => {
  const id = freshId("asked");
  const [, path, api, add] = OTHERS[0] ?? [];
  await page.route("**/ui-api/**", (route) => route.fulfill({ status: 404, json: { code: 5, message: "Not Found" } }));
  const paths = asked(page);
  await page.goto(path ?? "");
  await expect(page.getByRole("heading", { name: "Schedules" })).toBeVisible();
  expect((await add?.(world.server.http, id))?.status).toBe(200);
  await expect(page.getByText(id).first()).toBeVisible();
  expect(paths.filter((one) => one === api).length).toBeGreaterThan(1);
});

test("a page that nobody looks at holds no stream", async ({ page }) => {
  const paths = asked(page);
  const streams = (): number => paths.filter((path) => path.endsWith("/stream")).length;
  await page.goto("/namespaces/default/workflows");
  await expect.poll(streams).toBe(1);
  const look = (state: string): Promise<void> =>
    page.evaluate((to) => {
      Object.defineProperty(document, "visibilityState", { value: to, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  const ended = page.waitForEvent("requestfailed", (request) => request.url().includes("/stream"));
  await look("hidden");
  await ended;
  await look("visible");
  await expect.poll(streams).toBe(2);
});

/** Temporal's own UI, as the reference serves it, on the API of the server under test. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, freshId, refusals, test } from "./fixtures.js";
import { isLongtide, type Started, startServer, takeOfficialUi, Workers } from "./processes.js";

test.skip(!isLongtide, "the reference shows it by itself");
test.describe.configure({ timeout: 180_000 });

const NS = "/namespaces/default";

let folder: string;
let server: Started;
let workers: Workers;
let workflow: string;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  folder = await mkdtemp(join(tmpdir(), "official-ui-"));
  await takeOfficialUi(folder);
  server = await startServer(folder, { TEMPORAL_DISABLE_NEWS_FETCH: "true" });
  workers = new Workers(server.address);
  await workers.ready;
  const id = freshId("official");
  await workers.obey({ start: "Order", id, args: [1], memo: { customer: "c" }, summary: "**s**", details: "# d" });
  const described = await fetch(`${server.http}/api/v1${NS}/workflows/${id}`);
  const { workflowExecutionInfo } = (await described.json()) as {
    workflowExecutionInfo: { execution: { runId: string } };
  };
  workflow = `${id}/${workflowExecutionInfo.execution.runId}`;
});
test.afterAll(async () => {
  await workers?.close();
  await server?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** A path, `W` standing for a workflow's, and words that its view shows. */
const VIEWS: [string, string][] = [
  ["/", "Start Workflow"],
  [`${NS}/workflows`, "Start Workflow"],
  ["W/timeline", "Timeline"],
  ["W/history", "Event History"],
  ["W/workers", "Task Queue"],
  ["W/relationships", "official-"],
  ["W/pending-activities", "official-"],
  ["W/call-stack", "official-"],
  ["W/metadata", "official-"],
  ["W/nexus-links", "Nexus Links"],
  ["W/user-metadata", "official-"],
  ["W/search-attributes", "official-"],
  ["W/memo", "official-"],
  [`${NS}/workflows/start-workflow`, "Input Data"],
  [`${NS}/schedules`, "Create Schedule"],
  [`${NS}/schedules/create`, "Schedule Spec"],
  [`${NS}/batch-operations`, "Batch Operations"],
  [`${NS}/worker-deployments`, "Deployments"],
  [`${NS}/workers`, "Instances"],
  [`${NS}/activities`, "Start Standalone Activity"],
  [`${NS}/nexus-operations`, "Start a Standalone Nexus Operation"],
  [`${NS}/task-queues/ui`, "Pollers"],
  [`${NS}/archival`, "archival"],
  [NS, "Namespace Details"],
  ["/namespaces", "Namespaces"],
  ["/nexus", "Get Started"],
  ["/nexus/create", "Endpoint"],
];

for (const [path, words] of VIEWS) {
  test(`the official UI shows ${path} without a refusal`, async ({ page }) => {
    const refused = refusals(page);
    const url = path.startsWith("W/") ? `${NS}/workflows/${workflow}${path.slice(1)}` : path;
    await page.goto(`${server.pages}${url}`);
    await expect(page.locator("#content, main, body").first()).toContainText(words);
    // Nothing more is asked for: all answers are there, but the one of a long poll.
    await page.waitForTimeout(1_000);
    expect(refused).toEqual([]);
    await expect(page.locator("body")).not.toContainText("Uh oh");
  });
}

import { readFileSync } from "node:fs";
import { expect, freshId, test, workflowPath } from "./fixtures.js";
import { startCodec } from "./processes.js";

const HOSTILE = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;

test("payloads that are encoded say so, and are decoded by the codec server", async ({ page, world }) => {
  const id = freshId("secret");
  await world.workers.obey({ start: "Echo", id, args: [{ card: "4111" }], encrypted: true });
  const token = "a-token-of-the-codec";
  const codec = await startCodec(world.workers, token);
  try {
    await page.goto(workflowPath(id));
    const input = page.getByRole("region", { name: "Input" });
    await expect(input).toContainText("encoded · binary/encrypted");
    await expect(input).toContainText("key key-1");
    await expect(page.getByText("4111")).toHaveCount(0);

    await page.goto("/settings");
    await page.getByLabel("Endpoint").fill(`${codec.url}/{namespace}`);
    await page.getByRole("button", { name: "Save" }).click();
    await page.goto(workflowPath(id));
    await expect(input).toContainText("the codec server answered 403");
    await page.goto("/settings");
    await page.getByLabel("Bearer token").fill(token);
    await page.getByRole("button", { name: "Save" }).click();
    await page.goto(workflowPath(id));
    await expect(input).toContainText('"4111"');
    await expect(page.getByRole("region", { name: "Result" })).toContainText('"4111"');
    expect(new Set(codec.namespaces)).toEqual(new Set(["default"]));
    const kept = await page.evaluate(() => JSON.stringify(localStorage));
    expect(kept).not.toContain(token);
  } finally {
    codec.close();
  }
});

test("what a payload, memo, summary, failure or id says is never markup", async ({ page, world }) => {
  const failing = freshId("hostile <b>id");
  await world.workers.obey({
    start: "Failing",
    id: failing,
    args: [HOSTILE],
    memo: { note: HOSTILE },
    summary: `${HOSTILE} [x](javascript:document.title='owned')`,
    details: HOSTILE,
  });
  const order = freshId("hostile");
  await world.workers.obey({ start: "Order", id: order, args: [5], memo: { note: HOSTILE } });
  const visits: [string, string][] = [
    [failing, "timeline"],
    [failing, "history"],
    [failing, "metadata"],
    [order, "metadata"],
    [order, "stack"],
  ];
  for (const [id, tab] of visits) {
    await page.goto(workflowPath(id));
    await expect(page.getByTestId("workflow-id")).toHaveText(id);
    await page.goto(`${page.url()}?tab=${tab}${tab === "history" ? "&view=json" : "&event=1"}`);
    await expect(page.getByTestId("workflow-id")).toHaveText(id);
    if (tab === "metadata") await expect(page.getByText("<script>").first()).toBeVisible();
    await expect(page.locator("main img, main script, main h1 b")).toHaveCount(0);
    await expect(page.locator("a[href^='javascript']")).toHaveCount(0);
    await expect(page).toHaveTitle("Longtide");
  }
});

test("an exported history is read from a file, and goes nowhere", async ({ page, world }) => {
  const id = freshId("export");
  await world.workers.obey({ start: "Order", id, args: [7] });
  await page.goto(workflowPath(id));
  await expect(page.getByTestId("history-count")).toContainText("live");
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download" }).click(),
  ]);
  const path = await file.path();
  expect(JSON.parse(readFileSync(path, "utf8")).events.length).toBeGreaterThan(4);
  await page.goto("/open-history");
  const sent: string[] = [];
  page.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
  await page.locator("input[type=file]").setInputFiles(path);
  await expect(page.getByTestId("timeline")).toBeVisible();
  await expect(page.getByRole("region", { name: "Input" })).toContainText("7");
  expect(sent).toEqual([]);
});

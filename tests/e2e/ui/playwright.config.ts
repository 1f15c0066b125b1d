import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "src",
  // What measures and what draws pictures is no test.
  testMatch: process.env.LONGTIDE_E2E_UI_MATCH ?? "*.spec.ts",
  // One server, one worker and one browser for all.
  workers: 1,
  forbidOnly: true,
  timeout: 60_000,
  globalTimeout: 15 * 60_000,
  expect: { timeout: 15_000 },
  reporter: [["line"]],
  outputDir: "results",
  use: {
    viewport: { width: 1280, height: 800 },
    timezoneId: "UTC",
    locale: "en-GB",
    reducedMotion: "reduce",
    trace: "off",
    screenshot: "off",
    launchOptions: {
      executablePath: process.env.LONGTIDE_E2E_CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    },
  },
});

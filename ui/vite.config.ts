import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` forwards the API to a server that runs already.
const server = process.env.LONGTIDE_UI_SERVER ?? "http://127.0.0.1:7243";

export default defineConfig({
  plugins: [react()],
  // Addresses are relative, so that the server may serve the pages below any path.
  base: "./",
  build: {
    target: "es2022",
    manifest: true,
    sourcemap: false,
    assetsInlineLimit: 0,
    // The policy of the pages allows no inline script.
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: Object.fromEntries(["/api", "/ui-api"].map((path) => [path, { target: server }])),
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});

// Fails when what a browser loads for the list of workflows, brotli-compressed, is over its budget.
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";

const BUDGET_KIB = 150;
const FIRST = ["index.html", "src/workflows/list/WorkflowListPage.tsx"];

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const size = (file) =>
  brotliCompressSync(readFileSync(new URL(file, dist)), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11 },
  }).length;

const files = new Set(["index.html"]);
const visit = (name) => {
  const chunk = manifest[name];
  if (!chunk) throw new Error(`the build has no ${name}`);
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const other of chunk.imports ?? []) visit(other);
};
for (const name of FIRST) visit(name);

let total = 0;
for (const file of [...files].sort()) {
  const bytes = size(file);
  total += bytes;
  console.log(`${(bytes / 1024).toFixed(1).padStart(7)} KiB  ${file}`);
}
const kib = total / 1024;
console.log(`${kib.toFixed(1).padStart(7)} KiB  first load (budget ${BUDGET_KIB} KiB, brotli)`);
if (kib > BUDGET_KIB) {
  console.error("the first load is over its budget");
  process.exit(1);
}

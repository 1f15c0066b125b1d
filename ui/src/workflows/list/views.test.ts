import { expect, it } from "vitest";
import { parseFilter } from "./filter";
import { keepView, systemViews, VIEWS_MAX } from "./views";

it("views that everybody has are lists of conditions", () => {
  for (const { query } of systemViews(new Date("2026-03-01T12:00:00Z"))) {
    expect(parseFilter(query), query).toBeDefined();
  }
});

it("a view replaces the one of its name, and the oldest goes when there are too many", () => {
  const full = Array.from({ length: VIEWS_MAX }, (_, at) => ({ name: `v${at}`, query: "" }));
  const replaced = keepView(full, { name: "v3", query: "x" });
  expect(replaced).toHaveLength(VIEWS_MAX);
  expect(replaced.at(-1)).toEqual({ name: "v3", query: "x" });
  expect(keepView(full, { name: "new", query: "" }).map(({ name }) => name)).not.toContain("v0");
});

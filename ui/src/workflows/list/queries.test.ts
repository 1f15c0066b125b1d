import { expect, it } from "vitest";
import { jsonPayload } from "../../payloads/decode";
import { readCounts } from "./queries";

it("counts by status are read from payloads", () => {
  const counts = readCounts({
    count: "5",
    groups: [
      { groupValues: [jsonPayload('"Running"')], count: "3" },
      { groupValues: [jsonPayload('"Failed"')], count: "2" },
    ],
  });
  expect(counts).toEqual({ total: 5, byStatus: { Running: 3, Failed: 2 } });
  expect(readCounts({})).toEqual({ total: 0, byStatus: {} });
});

import { expect, it } from "vitest";
import { auditCommand, pointInTime, readAuditSearch } from "./search";

const NOW = Date.UTC(2026, 10, 22, 12);

it("times are written as a length, a day or a moment", () => {
  for (const [text, expected] of [
    ["1h", "2026-11-22T11:00:00.000Z"],
    ["2d", "2026-11-20T12:00:00.000Z"],
    ["2026-11-21", "2026-11-21T00:00:00.000Z"],
    ["2026-11-21T10:30", "2026-11-21T10:30:00.000Z"],
    ["2026-11-21 10:30:05", "2026-11-21T10:30:05.000Z"],
    ["2026-11-21T10:30:00+02:00", "2026-11-21T08:30:00.000Z"],
    ["noon", undefined],
    ["90", undefined],
    ["2026-13-40", undefined],
  ] as const) {
    expect(pointInTime(text, NOW), text).toBe(expected);
  }
});

it("the address holds the search, and nothing that is none", () => {
  expect(
    readAuditSearch({
      principal: "alice",
      rpc: 7,
      decision: "maybe",
      before: "12",
      record: -1,
      x: 1,
    }),
  ).toMatchObject({ principal: "alice", rpc: "7", decision: undefined, before: 12 });
  expect(readAuditSearch({ decision: "denied", all: true })).toMatchObject({
    decision: "denied",
    all: true,
    record: undefined,
  });
});

it("the same search runs on the command line", () => {
  const word = (text: string) => `'${text}'`;
  expect(auditCommand({ principal: "a b", decision: "denied", since: "1h", before: 7 }, word)).toBe(
    "longtide audit query --config longtide.yaml --principal 'a b' --decision 'denied' --since '1h'",
  );
});

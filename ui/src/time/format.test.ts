import { describe, expect, it } from "vitest";
import {
  durationMillis,
  formatAbsolute,
  formatBytes,
  formatDuration,
  formatRelative,
  millis,
  parseDuration,
} from "./format";

describe("durations", () => {
  it.each([
    [0, "0s"],
    [0.4, "<1ms"],
    [320, "320ms"],
    [1500, "1.5s"],
    [65_000, "1m 5s"],
    [3_600_000, "1h"],
    [93_784_000, "1d 2h"],
    [-2000, "-2s"],
  ])("%d ms is %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

  it.each([
    ["90", "90s"],
    ["90s", "90s"],
    ["1h30m", "5400s"],
    ["1h 30m", "5400s"],
    ["2d", "172800s"],
    ["250ms", "0.25s"],
    ["1.5h", "5400s"],
    ["", undefined],
    ["soon", undefined],
    ["5 parsecs", undefined],
  ])("%s is typed for %s", (text, duration) => expect(parseDuration(text)).toBe(duration));

  it("of the API are seconds", () => {
    expect(durationMillis("4.000005629s")).toBeCloseTo(4000.005629);
    expect(durationMillis(undefined)).toBeUndefined();
    expect(durationMillis("4")).toBeUndefined();
  });
});

describe("times", () => {
  const at = Date.parse("2026-11-22T14:45:51.394Z");

  it("of the API have nanoseconds, or are none", () => {
    expect(millis("2026-11-22T14:45:51.394590353Z")).toBe(at);
    expect(millis("0001-01-01T00:00:00Z")).toBeUndefined();
    expect(millis("")).toBeUndefined();
  });

  it("are relative, or absolute", () => {
    expect(formatRelative(at - 65_400, at)).toBe("1m 5s ago");
    expect(formatRelative(at + 7_200_000, at)).toBe("in 2h");
    expect(formatRelative(at - 300, at)).toBe("now");
    expect(formatAbsolute(at, true)).toBe("2026-11-22 14:45:51.394 UTC");
    expect(formatAbsolute(at, false)).toMatch(/^2026-11-2\d \d\d:\d\d:51\.394$/);
  });
});

it("sizes have a unit", () => {
  expect([999, 1235, 45_678, 2_500_000].map(formatBytes)).toEqual([
    "999 B",
    "1.2 KB",
    "46 KB",
    "2.5 MB",
  ]);
});

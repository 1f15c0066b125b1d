import { describe, expect, it } from "vitest";
import { idleStretches, makeScale, ticks } from "./scale";

describe("a scale", () => {
  it("gives every time its place, and every place its time", () => {
    const scale = makeScale(1000, 5000, 800);
    expect(scale.x(1000)).toBe(0);
    expect(scale.x(3000)).toBe(400);
    expect(scale.x(9000)).toBe(800);
    for (const x of [0, 1, 123, 799]) expect(scale.x(scale.time(x))).toBeCloseTo(x);
  });

  it("of no time at all has a width", () => {
    const scale = makeScale(1000, 1000, 100);
    expect(scale.x(1000)).toBe(0);
    expect(Number.isFinite(scale.time(50))).toBe(true);
  });

  it("makes idle stretches short, and keeps the order of times", () => {
    const hour = 3_600_000;
    const times = [0, 1000, 2000, hour, hour + 1000];
    const idle = idleStretches(times, 0, hour + 1000);
    expect(idle).toHaveLength(1);
    const scale = makeScale(0, hour + 1000, 800, idle);
    const places = times.map((time) => scale.x(time));
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    // What took a second has a third of the width, and not a thousandth.
    expect((places[1] ?? 0) - (places[0] ?? 0)).toBeGreaterThan(150);
    expect(places.at(-1)).toBeCloseTo(800);
  });

  it("has no idle stretch when something always happens", () => {
    const times = Array.from({ length: 100 }, (_, at) => at * 10);
    expect(idleStretches(times, 0, 990)).toEqual([]);
  });
});

it("marks of the axis are round, and do not crowd", () => {
  const scale = makeScale(0, 60_000, 800);
  const marks = ticks(scale, 0, 100);
  expect(marks).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000]);
  for (const width of [50, 333, 4000, 400_000]) {
    const places = ticks(makeScale(0, 86_400_000, width), 0, 100).map((time) =>
      makeScale(0, 86_400_000, width).x(time),
    );
    for (let at = 1; at < places.length; at += 1) {
      expect((places[at] ?? 0) - (places[at - 1] ?? 0)).toBeGreaterThanOrEqual(70);
    }
  }
});

/** From time to pixels, with stretches in which nothing happens made short. */

export interface Segment {
  from: number;
  to: number;
  /** Pixels, before zooming. */
  x: number;
  width: number;
  idle: boolean;
}

export interface Scale {
  segments: Segment[];
  /** Pixels of the whole. */
  width: number;
  x(time: number): number;
  time(x: number): number;
}

/** A stretch without an event is idle when it is longer than this part of the whole. */
const IDLE_PART = 0.15;
/** What an idle stretch keeps of the width. */
const IDLE_WIDTH = 28;
const IDLE_MAX = 40;

/** The stretches between `from` and `to` in which none of the times lies, if they are long. */
export function idleStretches(times: number[], from: number, to: number): [number, number][] {
  const least = (to - from) * IDLE_PART;
  const sorted = times.filter((time) => time >= from && time <= to).sort((a, b) => a - b);
  const gaps: [number, number][] = [];
  let before = from;
  for (const time of [...sorted, to]) {
    if (time - before > least) gaps.push([before, time]);
    before = time;
  }
  // A little of them stays, so that what stands at their ends keeps its place.
  const active = gaps.reduce((rest, [start, stop]) => rest - (stop - start), to - from);
  return gaps.slice(0, IDLE_MAX).map(([start, stop]) => {
    const margin = Math.min((stop - start) * 0.02, Math.max(active * 0.2, 1));
    return [start + margin, stop - margin];
  });
}

export function makeScale(
  from: number,
  to: number,
  width: number,
  idle: [number, number][] = [],
): Scale {
  const end = Math.max(to, from + 1);
  const idleTime = idle.reduce((sum, [start, stop]) => sum + (stop - start), 0);
  const idleWidth = Math.min(idle.length * IDLE_WIDTH, width / 2);
  const each = idle.length === 0 ? 0 : idleWidth / idle.length;
  const perMs = (width - idleWidth) / Math.max(end - from - idleTime, 1e-6);
  const segments: Segment[] = [];
  let at = from;
  let x = 0;
  const push = (stop: number, isIdle: boolean): void => {
    if (stop <= at) return;
    const segmentWidth = isIdle ? each : (stop - at) * perMs;
    segments.push({ from: at, to: stop, x, width: segmentWidth, idle: isIdle });
    x += segmentWidth;
    at = stop;
  };
  for (const [start, stop] of idle) {
    push(start, false);
    push(stop, true);
  }
  push(end, false);
  return {
    segments,
    width,
    x(time) {
      const segment = find(segments, (one) => time < one.to);
      if (!segment) return width;
      const part = (time - segment.from) / (segment.to - segment.from);
      return segment.x + Math.max(0, part) * segment.width;
    },
    time(position) {
      const segment = find(segments, (one) => position < one.x + one.width);
      if (!segment) return end;
      const part = segment.width === 0 ? 0 : (position - segment.x) / segment.width;
      return segment.from + Math.max(0, part) * (segment.to - segment.from);
    },
  };
}

/** The first that fits, of segments in their order. */
function find(segments: Segment[], fits: (segment: Segment) => boolean): Segment | undefined {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fits(segments[middle] as Segment)) high = middle;
    else low = middle + 1;
  }
  return segments[low];
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
  [1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  [1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  [1, 2, 3, 6, 12].map((hours) => hours * 3_600_000),
  [1, 2, 7, 14, 30, 90, 365].map((days) => days * 86_400_000),
);

/** The times at which the axis has marks: round distances from the start. */
export function ticks(scale: Scale, from: number, spacing: number): number[] {
  const all: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const segment of scale.segments) {
    if (segment.idle || segment.width <= 0) continue;
    const perPixel = (segment.to - segment.from) / segment.width;
    const step = STEPS.find((one) => one >= perPixel * spacing) ?? perPixel * spacing;
    const first = from + Math.ceil((segment.from - from) / step) * step;
    for (let time = first; time < segment.to; time += step) {
      const x = scale.x(time);
      if (x - last < spacing * 0.7) continue;
      all.push(time);
      last = x;
    }
  }
  return all;
}

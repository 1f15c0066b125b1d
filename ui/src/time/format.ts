import type { TimeFormat } from "../settings/store";

/** Milliseconds since 1970 of the API's time, which may be more exact; undefined for none. */
export function millis(time: string | undefined): number | undefined {
  if (!time || time.startsWith("0001-")) return undefined;
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** Milliseconds of a proto JSON duration, as `"1.5s"`. */
export function durationMillis(duration: string | undefined): number | undefined {
  const match = /^(-?\d+(?:\.\d+)?)s$/.exec(duration ?? "");
  return match?.[1] === undefined ? undefined : Number(match[1]) * 1000;
}

/** A duration that people type, as `1h30m`, `90s` or `2d`, in proto JSON; undefined if it is none. */
export function parseDuration(text: string): string | undefined {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return `${trimmed}s`;
  const units: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  let rest = trimmed;
  let seconds = 0;
  while (rest !== "") {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)\s*/.exec(rest);
    if (!match) return undefined;
    seconds += Number(match[1]) * (units[match[2] ?? ""] ?? 0);
    rest = rest.slice(match[0].length);
  }
  return trimmed === "" ? undefined : `${Number(seconds.toFixed(3))}s`;
}

/** A duration in at most two units: `2d 3h`, `1m 5s`, `320ms`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 1) return ms === 0 ? "0s" : "<1ms";
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 10_000) return `${Number((ms / 1000).toFixed(2))}s`;
  const seconds = Math.floor(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(" ");
}

/** A distance from now: `3m ago`, `in 2h 5m`. */
export function formatRelative(ms: number, now: number): string {
  const distance = now - ms;
  if (Math.abs(distance) < 1000) return "now";
  const whole = Math.floor(Math.abs(distance) / 1000) * 1000;
  return distance > 0 ? `${formatDuration(whole)} ago` : `in ${formatDuration(whole)}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** `2026-11-22 14:45:51.394`, in the browser's zone or in UTC. */
export function formatAbsolute(ms: number, utc: boolean): string {
  const date = new Date(ms);
  if (utc) return `${date.toISOString().slice(0, -1).replace("T", " ")} UTC`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

export function formatTime(ms: number, format: TimeFormat, now: number): string {
  return format === "relative" ? formatRelative(ms, now) : formatAbsolute(ms, format === "utc");
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

export const formatCount = (count: number): string => count.toLocaleString("en");

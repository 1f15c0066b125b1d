import { durationMillis, formatDuration } from "../time/format";
import type { CalendarSpec, Range, ScheduleSpec } from "./types";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const two = (value: number): string => String(value).padStart(2, "0");

function ranges(list: Range[] | undefined, name = (value: number) => String(value)): string {
  return (list ?? [])
    .map(({ start = 0, end = start, step = 1 }) => {
      const last = Math.max(start, end);
      const range = last === start ? name(start) : `${name(start)}–${name(last)}`;
      return step > 1 ? `${range} every ${step}` : range;
    })
    .join(", ");
}

const isAll = (list: Range[] | undefined, from: number, to: number): boolean =>
  list?.length === 1 &&
  (list[0]?.start ?? 0) === from &&
  (list[0]?.end ?? 0) === to &&
  (list[0]?.step ?? 1) <= 1;

const single = (list: Range[] | undefined): number | undefined => {
  if (!list || list.length === 0) return 0;
  const [range] = list;
  if (list.length > 1 || !range) return undefined;
  const start = range.start ?? 0;
  return (range.end ?? start) <= start ? start : undefined;
};

/** A calendar in words: `at 08:30 on Monday–Friday`. */
export function describeCalendar(calendar: CalendarSpec): string {
  const hour = single(calendar.hour);
  const minute = single(calendar.minute);
  const second = single(calendar.second);
  const time =
    hour !== undefined && minute !== undefined && second !== undefined
      ? `at ${two(hour)}:${two(minute)}${second === 0 ? "" : `:${two(second)}`}`
      : `at hour ${ranges(calendar.hour) || "0"}, minute ${ranges(calendar.minute) || "0"}${second === 0 ? "" : `, second ${ranges(calendar.second)}`}`;
  const parts = [time];
  if (calendar.dayOfWeek && !isAll(calendar.dayOfWeek, 0, 6)) {
    parts.push(`on ${ranges(calendar.dayOfWeek, (day) => DAYS[day] ?? String(day))}`);
  }
  if (calendar.dayOfMonth && !isAll(calendar.dayOfMonth, 1, 31)) {
    parts.push(`on day ${ranges(calendar.dayOfMonth)}`);
  }
  if (calendar.month && !isAll(calendar.month, 1, 12))
    parts.push(`in month ${ranges(calendar.month)}`);
  if (calendar.year && calendar.year.length > 0) parts.push(`in ${ranges(calendar.year)}`);
  return parts.length === 1 ? `${time}, every day` : parts.join(" ");
}

/** When a schedule acts, in words. */
export function describeSpec(spec: ScheduleSpec | undefined): string[] {
  const lines: string[] = [];
  for (const { interval, phase } of spec?.interval ?? []) {
    const length = formatDuration(durationMillis(interval) ?? 0);
    const shift = durationMillis(phase) ?? 0;
    lines.push(`every ${length}${shift > 0 ? `, ${formatDuration(shift)} later` : ""}`);
  }
  for (const calendar of spec?.structuredCalendar ?? []) {
    lines.push(calendar.comment || describeCalendar(calendar));
  }
  for (const cron of spec?.cronString ?? []) lines.push(cron);
  return lines.length === 0 ? ["never by itself"] : lines;
}

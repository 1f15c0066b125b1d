import { useSettings } from "../settings/store";
import { useNow } from "./clock";
import { formatAbsolute, formatDuration, formatTime, millis } from "./format";

/** A time as the settings want it; the other forms are in its title. */
export function Time({ value }: { value: string | undefined }) {
  const { times } = useSettings();
  const now = useNow();
  const ms = millis(value);
  if (ms === undefined) return <span className="faint">–</span>;
  return (
    <time
      dateTime={value}
      title={`${formatAbsolute(ms, false)} local\n${formatAbsolute(ms, true)}`}
      className="nowrap"
    >
      {formatTime(ms, times, now)}
    </time>
  );
}

/** How long something took, or has taken so far. */
export function Elapsed({ from, to }: { from: string | undefined; to: string | undefined }) {
  const now = useNow();
  const start = millis(from);
  if (start === undefined) return <span className="faint">–</span>;
  const end = millis(to);
  const length = (end ?? Math.max(now, start)) - start;
  return (
    <span className="nowrap">
      {formatDuration(end === undefined ? Math.floor(length / 1000) * 1000 : length)}
    </span>
  );
}

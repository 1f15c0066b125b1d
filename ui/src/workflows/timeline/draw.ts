import { formatDuration } from "../../time/format";
import { type EventGroup, KIND_LABELS } from "../history/groups";
import { type Scale, ticks } from "./scale";

export const ROW_HEIGHT = 24;
export const AXIS_HEIGHT = 26;
const BAR_HEIGHT = 14;
const BAR_WIDTH_MIN = 4;
const LABEL_GAP = 6;
const TICK_SPACING = 110;

/** Colours of the theme, read once for a theme. */
export interface Palette {
  text: string;
  faint: string;
  line: string;
  ground: string;
  selected: string;
  hover: string;
  open: string;
  completed: string;
  failed: string;
  canceled: string;
  instant: string;
  wait: string;
  onBar: string;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const read = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    text: read("text"),
    faint: read("text-faint"),
    line: read("line"),
    ground: read("surface"),
    selected: read("accent-soft"),
    hover: read("surface-hover"),
    open: read("running"),
    completed: read("good"),
    failed: read("bad"),
    canceled: read("warn"),
    instant: read("calm"),
    wait: read("line-strong"),
    onBar: read("surface"),
  };
}

export interface Frame {
  groups: readonly EventGroup[];
  scale: Scale;
  from: number;
  now: number;
  /** Pixels to the left of the first time that is shown. */
  left: number;
  top: number;
  width: number;
  height: number;
  labels: number;
  selected: number | undefined;
  hovered: number | undefined;
  palette: Palette;
  font: string;
}

export function colourOf(group: EventGroup, palette: Palette): string {
  switch (group.outcome) {
    case "open":
      return palette.open;
    case "completed":
      return palette.completed;
    case "failed":
    case "timed-out":
      return palette.failed;
    case "canceled":
    case "terminated":
      return palette.canceled;
    case "instant":
      return palette.instant;
  }
}

/** Draws what can be seen, and nothing else: the cost does not grow with the history. */
export function draw(context: CanvasRenderingContext2D, frame: Frame): void {
  const { groups, scale, width, height, palette, labels, top, left, from } = frame;
  context.clearRect(0, 0, width, height);
  context.font = frame.font;
  context.textBaseline = "middle";

  context.save();
  context.beginPath();
  context.rect(labels, 0, width - labels, height);
  context.clip();
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  context.fillStyle = palette.faint;
  for (const segment of scale.segments) {
    if (!segment.idle) continue;
    const x = labels + segment.x - left;
    if (x > width || x + segment.width < labels) continue;
    context.fillStyle = palette.hover;
    context.fillRect(x, AXIS_HEIGHT, segment.width, height);
    context.fillStyle = palette.faint;
    context.textAlign = "center";
    context.fillText("⋯", x + segment.width / 2, AXIS_HEIGHT / 2);
  }
  context.textAlign = "left";
  for (const time of ticks(scale, from, TICK_SPACING)) {
    const x = Math.round(labels + scale.x(time) - left) + 0.5;
    if (x < labels || x > width) continue;
    context.beginPath();
    context.moveTo(x, AXIS_HEIGHT - 5);
    context.lineTo(x, height);
    context.stroke();
    context.fillStyle = palette.faint;
    context.fillText(`+${formatDuration(time - from)}`, x + 4, AXIS_HEIGHT / 2);
  }
  context.restore();

  const first = Math.max(0, Math.floor(top / ROW_HEIGHT));
  const last = Math.min(groups.length, Math.ceil((top + height - AXIS_HEIGHT) / ROW_HEIGHT) + 1);
  context.save();
  context.beginPath();
  context.rect(0, AXIS_HEIGHT, width, height - AXIS_HEIGHT);
  context.clip();
  for (let row = first; row < last; row += 1) {
    const group = groups[row];
    if (group) drawRow(context, frame, group, row, AXIS_HEIGHT + row * ROW_HEIGHT - top);
  }
  context.restore();

  context.strokeStyle = palette.line;
  context.beginPath();
  context.moveTo(0, AXIS_HEIGHT + 0.5);
  context.lineTo(width, AXIS_HEIGHT + 0.5);
  context.moveTo(labels + 0.5, 0);
  context.lineTo(labels + 0.5, height);
  context.stroke();
}

function drawRow(
  context: CanvasRenderingContext2D,
  frame: Frame,
  group: EventGroup,
  row: number,
  y: number,
): void {
  const { scale, palette, labels, left, width, now } = frame;
  if (row === frame.selected || row === frame.hovered) {
    context.fillStyle = row === frame.selected ? palette.selected : palette.hover;
    context.fillRect(0, y, width, ROW_HEIGHT);
  }
  const middle = y + ROW_HEIGHT / 2;
  context.save();
  context.beginPath();
  context.rect(0, y, labels - LABEL_GAP, ROW_HEIGHT);
  context.clip();
  context.textAlign = "left";
  context.fillStyle = palette.faint;
  context.fillText(String(group.id), 8, middle);
  context.fillStyle = palette.text;
  context.fillText(group.name, 52, middle);
  context.restore();

  context.save();
  context.beginPath();
  context.rect(labels + 1, y, width - labels, ROW_HEIGHT);
  context.clip();
  const colour = colourOf(group, palette);
  const start = labels + scale.x(group.start) - left;
  const barTop = middle - BAR_HEIGHT / 2;
  let end: number;
  if (group.outcome === "instant") {
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(start, middle - 6);
    context.lineTo(start + 6, middle);
    context.lineTo(start, middle + 6);
    context.lineTo(start - 6, middle);
    context.fill();
    end = start + 6;
  } else {
    end = Math.max(labels + scale.x(group.end ?? now) - left, start + BAR_WIDTH_MIN);
    // The wait for a worker is a thin line, the work a bar.
    const worked =
      group.started === undefined || group.kind === "child"
        ? start
        : Math.min(labels + scale.x(group.started) - left, end - BAR_WIDTH_MIN);
    if (worked > start) {
      context.fillStyle = palette.wait;
      context.fillRect(start, middle - 2, worked - start, 4);
    }
    context.fillStyle = colour;
    context.beginPath();
    context.roundRect(worked, barTop, Math.max(end - worked, BAR_WIDTH_MIN), BAR_HEIGHT, 3);
    if (group.outcome === "open") {
      context.globalAlpha = 0.35;
      context.fill();
      context.globalAlpha = 1;
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.setLineDash([4, 3]);
      context.stroke();
      context.setLineDash([]);
    } else {
      context.fill();
    }
    if (group.outcome === "failed" || group.outcome === "timed-out") {
      // Failures have a form, too: a bar across.
      context.fillStyle = palette.onBar;
      context.fillRect(end - 5, barTop + 2, 2, BAR_HEIGHT - 4);
    }
  }
  const note = [
    group.outcome === "instant" || group.end === undefined
      ? undefined
      : formatDuration(group.end - group.start),
    group.attempt === undefined ? undefined : `attempt ${group.attempt}`,
    group.outcome === "completed" || group.outcome === "instant" || group.outcome === "open"
      ? undefined
      : group.outcome.replace("-", " "),
  ].filter((part) => part !== undefined);
  if (note.length > 0) {
    const text = note.join(" · ");
    context.fillStyle = palette.faint;
    const room = width - end - 8;
    const needed = context.measureText(text).width;
    if (needed < room) {
      context.textAlign = "left";
      context.fillText(text, end + 8, middle);
    } else if (start - labels > needed + 16) {
      context.textAlign = "right";
      context.fillText(text, start - 8, middle);
    }
  }
  context.restore();
}

/** A row in words, for those who cannot see it. */
export function describeRow(group: EventGroup, now: number): string {
  const length = formatDuration(
    (group.end ?? (group.outcome === "open" ? now : group.start)) - group.start,
  );
  const outcome = group.outcome === "instant" ? "" : `, ${group.outcome.replace("-", " ")}`;
  return `Event ${group.id}: ${KIND_LABELS[group.kind]} ${group.name}${outcome}, ${length}`;
}

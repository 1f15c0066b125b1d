import { useEffect, useMemo, useRef, useState } from "react";
import { useSettings } from "../../settings/store";
import { formatAbsolute } from "../../time/format";
import { type EventGroup, isOfInterest } from "../history/groups";
import type { HistorySnapshot, HistoryStore } from "../history/store";
import { AXIS_HEIGHT, describeRow, draw, type Palette, ROW_HEIGHT, readPalette } from "./draw";
import { idleStretches, makeScale } from "./scale";
import "../../styles/timeline.css";

const LABELS_WIDTH = 240;
const LABELS_WIDTH_NARROW = 130;
const NARROW = 640;
const ROWS_SHOWN_MAX = 22;
const ROWS_SHOWN_MIN = 4;
const ZOOM_MAX = 4096;
const ZOOM_STEP = 1.25;
/** Gaps are looked for in so many groups at most. */
const IDLE_GROUPS_MAX = 5_000;
/** An open run's bars grow so often. */
const GROW_MS = 500;

/**
 * What happened when: a canvas that draws the rows in sight, so that scrolling costs the same however
 * long the history is. The list of the compact history says the same as text.
 */
export function Timeline({
  store,
  snapshot,
  selected,
  onSelect,
  find,
  tasks,
}: {
  store: HistoryStore;
  snapshot: HistorySnapshot;
  /** The id of an event. */
  selected: number | undefined;
  onSelect: (eventId: number | undefined) => void;
  find: string;
  /** Show the workflow tasks that went well, too. */
  tasks: boolean;
}) {
  const { theme } = useSettings();
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [zoom, setZoom] = useState(1);
  const [collapse, setCollapse] = useState(true);
  const [hovered, setHovered] = useState<number | undefined>();
  const [palette, setPalette] = useState<Palette | undefined>();

  // biome-ignore lint/correctness/useExhaustiveDependencies: the store's groups change with its version
  const groups = useMemo(() => {
    const sought = find.toLowerCase();
    return store.grouper.groups.filter(
      (group) =>
        (tasks || isOfInterest(group)) &&
        (sought === "" || group.name.toLowerCase().includes(sought)),
    );
  }, [store, snapshot.version, find, tasks]);

  const from = store.grouper.groups[0]?.start ?? 0;
  const last = store.events.at(-1);
  const lastTime = last?.eventTime === undefined ? from : Date.parse(last.eventTime);
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (snapshot.closed) return;
    const timer = setInterval(() => !document.hidden && setNow(Date.now()), GROW_MS);
    return () => clearInterval(timer);
  }, [snapshot.closed]);
  const to = snapshot.closed ? lastTime : Math.max(now, lastTime);

  const labels = size.width < NARROW ? LABELS_WIDTH_NARROW : LABELS_WIDTH;
  const plain = Math.max(size.width - labels - 24, 50);
  const idle = useMemo(() => {
    if (!collapse || groups.length > IDLE_GROUPS_MAX) return [];
    const times = groups.flatMap((group) => [
      group.start,
      group.started ?? group.start,
      group.end ?? to,
    ]);
    return idleStretches(times, from, to);
  }, [collapse, groups, from, to]);
  const scale = useMemo(
    () => makeScale(from, to, plain * zoom, idle),
    [from, to, plain, zoom, idle],
  );

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() =>
      setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours change with the theme
  useEffect(() => {
    const read = (): void => {
      if (canvas.current) setPalette(readPalette(canvas.current));
    };
    read();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", read);
    return () => dark.removeEventListener("change", read);
  }, [theme]);

  const selectedRow = useMemo(() => {
    if (selected === undefined) return undefined;
    const group = store.grouper.groupOf(selected);
    const at = group ? groups.indexOf(group) : -1;
    return at === -1 ? undefined : at;
  }, [store, groups, selected]);

  // Everything that a frame needs, where the scroll handler finds it without a render.
  const painter = useRef<() => void>(() => {});
  painter.current = () => {
    const surface = canvas.current;
    const frame = scroller.current;
    const context = surface?.getContext("2d");
    if (!surface || !frame || !context || !palette || size.width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(size.width * ratio);
    const height = Math.round(size.height * ratio);
    if (surface.width !== width || surface.height !== height) {
      surface.width = width;
      surface.height = height;
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw(context, {
      groups,
      scale,
      from,
      now: to,
      left: frame.scrollLeft,
      top: frame.scrollTop,
      width: size.width,
      height: size.height,
      labels,
      selected: selectedRow,
      hovered,
      palette,
      font: `12px ${getComputedStyle(surface).fontFamily}`,
    });
  };
  const pending = useRef(0);
  const paint = (): void => {
    if (pending.current !== 0) return;
    pending.current = requestAnimationFrame(() => {
      pending.current = 0;
      painter.current();
    });
  };
  useEffect(() => painter.current());
  useEffect(() => () => cancelAnimationFrame(pending.current), []);

  // The selected row is in sight.
  useEffect(() => {
    const frame = scroller.current;
    if (!frame || selectedRow === undefined) return;
    const top = selectedRow * ROW_HEIGHT;
    const room = frame.clientHeight - AXIS_HEIGHT;
    if (top < frame.scrollTop) frame.scrollTop = top;
    else if (top + ROW_HEIGHT > frame.scrollTop + room) frame.scrollTop = top + ROW_HEIGHT - room;
  }, [selectedRow]);

  const zoomBy = (factor: number, at = size.width / 2): void => {
    const frame = scroller.current;
    if (!frame) return;
    const next = Math.min(ZOOM_MAX, Math.max(1, zoom * factor));
    const x = at - labels + frame.scrollLeft;
    setZoom(next);
    requestAnimationFrame(() => {
      frame.scrollLeft = x * (next / zoom) - (at - labels);
    });
  };
  useEffect(() => {
    const frame = scroller.current;
    if (!frame) return;
    // React listens to wheels passively, which cannot stop the page's own zoom.
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      wheel.current(event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP, event.offsetX);
    };
    frame.addEventListener("wheel", onWheel, { passive: false });
    return () => frame.removeEventListener("wheel", onWheel);
  }, []);
  const wheel = useRef(zoomBy);
  wheel.current = zoomBy;

  const rowAt = (clientY: number): number | undefined => {
    const frame = scroller.current;
    if (!frame) return undefined;
    const y = clientY - frame.getBoundingClientRect().top - AXIS_HEIGHT;
    const row = Math.floor((y + frame.scrollTop) / ROW_HEIGHT);
    return y < 0 || row >= groups.length ? undefined : row;
  };
  const select = (row: number): void => {
    const group: EventGroup | undefined = groups[row];
    if (group) onSelect(group.id);
  };
  const current = selectedRow === undefined ? undefined : groups[selectedRow];
  const rows = Math.min(Math.max(groups.length, ROWS_SHOWN_MIN), ROWS_SHOWN_MAX);

  return (
    <div className="timeline">
      <div className="timeline-tools">
        <span className="faint">
          {groups.length.toLocaleString("en")} of {store.grouper.groups.length.toLocaleString("en")}{" "}
          groups
          {from > 0 && <> · from {formatAbsolute(from, false)}</>}
        </span>
        <span className="spacer" />
        <label className="check">
          <input
            type="checkbox"
            checked={collapse}
            onChange={(event) => setCollapse(event.target.checked)}
          />{" "}
          Shorten idle time
        </label>
        <fieldset className="button-group">
          <legend className="visually-hidden">Zoom</legend>
          <button
            type="button"
            className="button"
            onClick={() => zoomBy(1 / 2)}
            disabled={zoom <= 1}
          >
            <span aria-hidden="true">−</span>
            <span className="visually-hidden">Zoom out</span>
          </button>
          <button type="button" className="button" onClick={() => setZoom(1)} disabled={zoom === 1}>
            Fit
          </button>
          <button type="button" className="button" onClick={() => zoomBy(2)}>
            <span aria-hidden="true">+</span>
            <span className="visually-hidden">Zoom in</span>
          </button>
        </fieldset>
      </div>
      <div
        ref={scroller}
        className="timeline-scroller"
        data-testid="timeline"
        role="listbox"
        aria-label="Timeline of events. Arrow keys move, plus and minus zoom. The compact history has the same as text."
        aria-activedescendant={current ? "timeline-current" : undefined}
        tabIndex={0}
        style={{ height: AXIS_HEIGHT + rows * ROW_HEIGHT + 2 }}
        onScroll={paint}
        onPointerMove={(event) => setHovered(rowAt(event.clientY))}
        onPointerLeave={() => setHovered(undefined)}
        onClick={(event) => {
          const row = rowAt(event.clientY);
          if (row !== undefined) select(row);
        }}
        onKeyDown={(event) => {
          const at = selectedRow ?? -1;
          const page = rows - 1;
          const to_: Record<string, number> = {
            ArrowDown: at + 1,
            j: at + 1,
            ArrowUp: at - 1,
            k: at - 1,
            PageDown: at + page,
            PageUp: at - page,
            Home: 0,
            End: groups.length - 1,
          };
          const next = to_[event.key];
          if (next !== undefined) {
            event.preventDefault();
            event.stopPropagation();
            select(Math.max(0, Math.min(groups.length - 1, next)));
          } else if (event.key === "+" || event.key === "=") zoomBy(ZOOM_STEP);
          else if (event.key === "-") zoomBy(1 / ZOOM_STEP);
          else if (event.key === "0") setZoom(1);
          else if (event.key === "Escape") onSelect(undefined);
        }}
      >
        <canvas ref={canvas} className="timeline-canvas" />
        <div
          className="timeline-space"
          style={{
            width: labels + scale.width + 24,
            height: AXIS_HEIGHT + groups.length * ROW_HEIGHT,
          }}
        >
          {current && (
            <div
              id="timeline-current"
              role="option"
              tabIndex={-1}
              aria-selected="true"
              className="visually-hidden"
            >
              {describeRow(current, to)}
            </div>
          )}
        </div>
      </div>
    </div>
  );
}

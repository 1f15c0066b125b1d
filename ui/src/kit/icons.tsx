import type { ReactNode } from "react";

const PATHS = {
  copy: "M5.5 5.5h7v8h-7zM3.5 10.5v-8h7",
  check: "M3 8.5l3.5 3.5L13 5",
  cross: "M4 4l8 8M12 4l-8 8",
  refresh: "M13 8a5 5 0 1 1-1.5-3.5M13 2v3h-3",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM11 11l3.5 3.5",
  chevron: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  left: "M10 4L6 8l4 4",
  plus: "M8 3v10M3 8h10",
  play: "M5 3.5v9l7-4.5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  stop: "M4.5 4.5h7v7h-7z",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 5v3.5l2 1.5",
  slash: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM4 12l8-8",
  dot: "M8 9.5A1.5 1.5 0 1 0 8 6.5a1.5 1.5 0 0 0 0 3z",
  loop: "M3 8a4 4 0 0 1 4-4h5M10 2l2 2-2 2M13 8a4 4 0 0 1-4 4H4M6 14l-2-2 2-2",
  warning: "M8 2.5l6 11H2zM8 6.5v3M8 11.3v.4",
  download: "M8 2v8M4.5 7L8 10.5 11.5 7M3 13.5h10",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  star: "M8 2l1.8 3.9 4.2.5-3.1 2.9.8 4.2L8 11.4 4.3 13.5l.8-4.2L2 6.4l4.2-.5z",
  workflow: "M2.5 3h4v4h-4zM9.5 9h4v4h-4zM4.5 7v4h5",
  calendar: "M2.5 3.5h11v10h-11zM2.5 6.5h11M5.5 2v3M10.5 2v3",
  stack: "M8 2l6 3-6 3-6-3zM2 8l6 3 6-3M2 11l6 3 6-3",
  worker: "M3 4h10v7H3zM6 13.5h4M8 11v2.5",
  ship: "M8 2v6M4 8h8l-1.5 5h-5zM5.5 5.5L8 3l2.5 2.5",
  nexus: "M4 8h8M3 6.5h2v3H3zM11 6.5h2v3h-2zM8 3v10",
  bolt: "M9 2L4 9h4l-1 5 5-7H8z",
  box: "M2.5 5.5h11v8h-11zM2.5 5.5l1.5-3h8l1.5 3M6.5 8.5h3",
  gear: "M8 10.2A2.2 2.2 0 1 0 8 5.8a2.2 2.2 0 0 0 0 4.4zM8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6L5 5M11 11l1.4 1.4M12.4 3.6L11 5M5 11l-1.4 1.4",
  help: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.3 6.3a1.8 1.8 0 1 1 2.4 1.7c-.5.2-.7.5-.7 1.2M8 11.4v.3",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  signal: "M2.5 8h7M7 4.5L10.5 8 7 11.5M13.5 3v10",
  user: "M8 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 8 8zM2.8 14a5.2 5.2 0 0 1 10.4 0",
  log: "M3.5 2.5h9v11h-9zM5.8 5.5h4.4M5.8 8h4.4M5.8 10.5h2.6",
  key: "M6 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8.5 8.5l5 5M11.5 11.5l1.5-1.5",
} as const;

export type IconName = keyof typeof PATHS;

/** A small drawing beside words; it says nothing that they do not. */
export function Icon({ name, size = 14 }: { name: IconName; size?: number }): ReactNode {
  return (
    <svg
      className="icon"
      viewBox="0 0 16 16"
      width={size}
      height={size}
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 2.4 : 1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

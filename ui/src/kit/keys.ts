import { useEffect, useRef } from "react";

/** Shortcuts: single keys, or two in a row (`g w`). */
export interface Shortcut {
  keys: string;
  label: string;
  run: () => void;
}

const SEQUENCE_MS = 900;

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

const groups = new Map<symbol, { title: string; shortcuts: Shortcut[] }>();
let before: { key: string; at: number } | undefined;

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey) return;
  const command = event.ctrlKey || event.metaKey;
  // In a field only commands count; in an open dialog none of the page's.
  if (!command && typing(event.target)) return;
  const dialog = document.querySelector("[role=dialog]:not([hidden]), [role=menu]:not([hidden])");
  if (dialog) return;
  const key = command ? `mod+${event.key.toLowerCase()}` : event.key;
  const sequence =
    before && event.timeStamp - before.at < SEQUENCE_MS ? `${before.key} ${key}` : key;
  const all = [...groups.values()].reverse().flatMap((group) => group.shortcuts);
  const found = all.find((one) => one.keys === sequence) ?? all.find((one) => one.keys === key);
  before = command ? undefined : { key, at: event.timeStamp };
  if (!found) return;
  before = undefined;
  event.preventDefault();
  found.run();
}

/** The shortcuts that work at the moment, by the view that gives them. */
export const activeShortcuts = (): { title: string; shortcuts: Shortcut[] }[] => [
  ...groups.values(),
];

/** Puts shortcuts in force as long as the component is there. */
export function useShortcuts(title: string, shortcuts: Shortcut[]): void {
  const name = useRef(Symbol(title));
  useEffect(() => {
    if (groups.size === 0) document.addEventListener("keydown", onKey);
    const { current } = name;
    groups.set(current, { title, shortcuts });
    return () => {
      groups.delete(current);
      if (groups.size === 0) document.removeEventListener("keydown", onKey);
    };
  });
}

/** What is typed after the palette was asked for and before its field can take it. */

import { createStore } from "../kit/store";

export interface Early {
  typed: string;
  /** Enter was pressed: what fits best is meant. */
  entered: boolean;
}

const NOTHING: Early = { typed: "", entered: false };

export const earlyStore = createStore<Early>(NOTHING);

/** What a key makes of what was typed; undefined when it is none of those that are kept. */
export function withKey({ typed, entered }: Early, key: string): Early | undefined {
  if (entered) return { typed, entered };
  if (key === "Enter") return { typed, entered: true };
  if (key === "Backspace") return { typed: typed.slice(0, -1), entered };
  return [...key].length === 1 ? { typed: typed + key, entered } : undefined;
}

let release: (() => void) | undefined;

/** Keeps what is typed from now on, until it is taken; `close` is called for Escape. */
export function keepKeys(close: () => void): void {
  takeKeys();
  const keep = (event: KeyboardEvent): void => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      takeKeys();
      close();
    } else {
      const next = withKey(earlyStore.get(), event.key);
      if (next === undefined) return;
      earlyStore.set(next);
    }
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("keydown", keep, { capture: true });
  release = () => document.removeEventListener("keydown", keep, { capture: true });
}

/** What was typed. From now on keys go where the browser sends them. */
export function takeKeys(): Early {
  release?.();
  release = undefined;
  const early = earlyStore.get();
  earlyStore.set(NOTHING);
  return early;
}

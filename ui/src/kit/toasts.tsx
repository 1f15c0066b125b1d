import type { ReactNode } from "react";
import { ApiError } from "../api/http";
import { Icon } from "./icons";
import { createStore, useStore } from "./store";

export interface Toast {
  kind: "good" | "bad";
  title: string;
  detail?: ReactNode;
}

const SHOWN_MS = 6_000;
/** What went wrong stays until it is read. */
const TOASTS_MAX = 4;

const toasts = createStore<(Toast & { id: number })[]>([]);
let last = 0;

const dismiss = (id: number): void => toasts.set(toasts.get().filter((one) => one.id !== id));

export function toast(one: Toast): void {
  last += 1;
  const id = last;
  toasts.set([...toasts.get(), { ...one, id }].slice(-TOASTS_MAX));
  if (one.kind === "good") setTimeout(() => dismiss(id), SHOWN_MS);
}

/** Tells that something did not work, and why. */
export function toastError(title: string, error: unknown): void {
  const detail =
    error instanceof ApiError
      ? `${error.code}: ${error.message}`
      : String((error as Error).message);
  toast({ kind: "bad", title, detail });
}

export function Toasts() {
  const shown = useStore(toasts);
  return (
    <section className="toasts" aria-label="Notifications" aria-live="polite">
      {shown.map((one) => (
        <div key={one.id} className={`toast ${one.kind}`}>
          <Icon name={one.kind === "good" ? "check" : "warning"} />
          <div className="toast-text">
            <strong>{one.title}</strong>
            {one.detail !== undefined && <div>{one.detail}</div>}
          </div>
          <button
            type="button"
            className="icon-button"
            aria-label="Dismiss"
            onClick={() => dismiss(one.id)}
          >
            <Icon name="cross" />
          </button>
        </div>
      ))}
    </section>
  );
}

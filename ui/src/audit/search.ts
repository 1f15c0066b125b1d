/** What is looked for in the audit log, as the page's address says it. */

import { parseDuration } from "../time/format";

export const DECISIONS = ["allowed", "denied", "unauthenticated"] as const;

/** Filters that are texts. */
export const TEXTS = ["principal", "rpc", "namespace", "outcome", "target"] as const;

export type AuditSearch = Partial<Record<(typeof TEXTS)[number], string | undefined>> & {
  decision?: (typeof DECISIONS)[number] | undefined;
  /** A time, or how long ago. */
  since?: string | undefined;
  until?: string | undefined;
  /** Also what the log says of itself. */
  all?: boolean | undefined;
  /** The number of the record before which the page begins. */
  before?: number | undefined;
  /** The number of the record whose details are open. */
  record?: number | undefined;
};

export function readAuditSearch(search: Record<string, unknown>): AuditSearch {
  const text = (name: string): string | undefined => {
    const value = search[name];
    return typeof value === "string" && value !== ""
      ? value
      : typeof value === "number"
        ? String(value)
        : undefined;
  };
  const number = (name: string): number | undefined => {
    const value = Number(search[name]);
    return Number.isSafeInteger(value) && value > 0 ? value : undefined;
  };
  return {
    ...Object.fromEntries(TEXTS.map((name) => [name, text(name)])),
    decision: DECISIONS.find((known) => known === search.decision),
    since: text("since"),
    until: text("until"),
    all: search.all === true ? true : undefined,
    before: number("before"),
    record: number("record"),
  };
}

/** A time as people write it (`1h`, `2026-11-22`, `2026-11-22T10:00`, in UTC); undefined if it is none. */
export function pointInTime(text: string, now: number): string | undefined {
  const ago = /[a-z]$/.test(text) && !text.includes("T") ? parseDuration(text) : undefined;
  const at = ago === undefined ? instant(text) : now - Number.parseFloat(ago) * 1000;
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function instant(text: string): number {
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return Number.NaN;
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text) || /^\d{4}-\d\d-\d\d$/.test(text);
  return Date.parse(zoned ? text.replace(" ", "T") : `${text.replace(" ", "T")}Z`);
}

/** The same search on the command line of the server. */
export function auditCommand(search: AuditSearch, word: (text: string) => string): string {
  const words = ["longtide", "audit", "query", "--config", "longtide.yaml"];
  for (const name of [...TEXTS, "decision", "since", "until"] as const) {
    const value = search[name];
    if (value !== undefined) words.push(`--${name}`, word(value));
  }
  return words.join(" ");
}

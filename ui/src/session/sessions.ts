/** The sessions of others, as administrators see them. */

import { queryOptions } from "@tanstack/react-query";
import { call, path } from "../api/http";

export interface OpenSession {
  /** Names it here; it signs nobody in. */
  id: string;
  name: string;
  email: string;
  subject: string;
  provider: string;
  /** Where the browser was that signed in. */
  address: string;
  created: string;
  used: string;
  expires: string;
}

export interface OpenSessions {
  sessions: OpenSession[];
  /** More than are told, when there are very many. */
  total: number;
}

const REFRESH_MS = 10_000;

export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: ({ signal }) => call<OpenSessions>("GET", "sessions", { forPages: true, signal }),
  refetchInterval: REFRESH_MS,
  retry: false,
});

export const endSession = (id: string): Promise<unknown> =>
  call("DELETE", path("sessions", id), { forPages: true });

/** Whose it is: older servers have not kept it. */
export const personOf = ({ name, email, subject }: OpenSession): string =>
  name || email || subject || "unknown";

/** Those in which every word that is looked for stands somewhere. */
export function found(sessions: readonly OpenSession[], words: string): OpenSession[] {
  const sought = words.toLowerCase().split(/\s+/);
  return sessions.filter(({ name, email, subject, provider, address }) => {
    const text = [name, email, subject, provider, address].join(" ").toLowerCase();
    return sought.every((word) => text.includes(word));
  });
}

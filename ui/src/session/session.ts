/** Who is signed in, as the server says it. No token ever reaches the pages: a session is a cookie. */

import { createStore } from "../kit/store";

export interface Provider {
  name: string;
  label: string;
}

export interface User {
  name: string;
  email: string | undefined;
}

export interface Session {
  /** The server signs people in. */
  enabled: boolean;
  /** The only provider is asked at once, without a page of our own. */
  redirectToProvider: boolean;
  providers: Provider[];
  user: User | undefined;
  /** Milliseconds since 1970. */
  expires: number | undefined;
  csrfToken: string | undefined;
}

export interface SessionState {
  /** Null: this server knows nothing of sessions. Undefined: nobody has asked yet. */
  session: Session | null | undefined;
  /** Who was signed in while this page was open is not any more. */
  ended: boolean;
}

const NOBODY: SessionState = { session: undefined, ended: false };

export const sessionStore = createStore<SessionState>(NOBODY);

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** Reads the server's answer; null for what is none. */
export function readSession(answer: unknown): Session | null {
  if (typeof answer !== "object" || answer === null) return null;
  const { enabled, redirectToProvider, providers, user, expires, csrfToken } = answer as Record<
    string,
    unknown
  >;
  if (typeof enabled !== "boolean") return null;
  const { name, email } = (user ?? {}) as Record<string, unknown>;
  const time = Date.parse(text(expires) ?? "");
  return {
    enabled,
    redirectToProvider: redirectToProvider === true,
    providers: (Array.isArray(providers) ? providers : []).flatMap((one: unknown) => {
      const { name: provider, label } = (one ?? {}) as Record<string, unknown>;
      const known = text(provider);
      return known === undefined ? [] : [{ name: known, label: text(label) ?? known }];
    }),
    user:
      typeof user === "object" && user !== null
        ? { name: text(name) ?? text(email) ?? "somebody", email: text(email) }
        : undefined,
    expires: Number.isNaN(time) ? undefined : time,
    csrfToken: text(csrfToken),
  };
}

/** What is known after an answer. */
export function after(before: SessionState, session: Session | null): SessionState {
  const wasSignedIn = before.ended || before.session?.user !== undefined;
  return {
    session,
    ended: session?.enabled === true && session.user === undefined && wasSignedIn,
  };
}

/** True when the pages are only for those who sign in, and nobody has. */
export const isSignInNeeded = ({ session }: SessionState): boolean =>
  session?.enabled === true && session.user === undefined;

let asking: Promise<SessionState> | undefined;
let askedAt = Number.NEGATIVE_INFINITY;

/** Asks the server who is signed in; those who ask at once share the answer. */
export function askSession(): Promise<SessionState> {
  askedAt = performance.now();
  asking ??= ask().finally(() => {
    asking = undefined;
  });
  return asking;
}

async function ask(): Promise<SessionState> {
  const before = sessionStore.get();
  try {
    const response = await fetch(new URL("ui-api/session", document.baseURI), {
      headers: { accept: "application/json" },
      credentials: "same-origin",
      cache: "no-store",
    });
    const json = response.headers.get("content-type")?.includes("json") === true;
    // Other servers answer with an error, or with a page.
    const session = response.ok && json ? readSession(await response.json()) : null;
    // A server that is in trouble says nothing of who is signed in.
    if (session !== null || response.status < 500 || before.session === undefined) {
      sessionStore.set(after(sessionStore.get(), session));
    }
  } catch {
    if (before.session === undefined) sessionStore.set(after(before, null));
  }
  return sessionStore.get();
}

/** The first answer, once it is there. */
export async function knownSession(): Promise<SessionState> {
  const state = sessionStore.get();
  return state.session === undefined ? askSession() : state;
}

/** How often missing rights are a reason to ask who is signed in. */
const ASK_AGAIN_MS = 5_000;

/** A request was refused, with 401 because the server does not know who asks. */
export function noteRefusal(status: number): void {
  const { session, ended } = sessionStore.get();
  if (!session?.enabled || ended) return;
  if (status === 401 || performance.now() - askedAt > ASK_AGAIN_MS) void askSession();
}

/** Other tabs hear of it when somebody signs in or out. */
const channel =
  typeof BroadcastChannel === "undefined" ? undefined : new BroadcastChannel("longtide.session");
/** Tests end when nothing is left to wait for. */
(channel as { unref?: () => void } | undefined)?.unref?.();

export const tellOtherTabs = (): void => channel?.postMessage("changed");

const TIMER_MS_MAX = 2 ** 31 - 1;

/** Keeps an eye on the session as long as the page is open. */
export function watchSession(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arm = (): void => {
    clearTimeout(timer);
    const { session } = sessionStore.get();
    if (session?.user === undefined || session.expires === undefined) return;
    const left = session.expires - Date.now();
    timer = setTimeout(
      () => void askSession(),
      Math.min(Math.max(left, 1_000) + 500, TIMER_MS_MAX),
    );
  };
  const look = (): void => {
    const { session, ended } = sessionStore.get();
    // A machine that slept, or a session that was opened again in another tab.
    const over = session?.expires !== undefined && session.expires <= Date.now();
    if (document.visibilityState === "visible" && (ended || over)) void askSession();
  };
  sessionStore.subscribe(arm);
  channel?.addEventListener("message", () => void askSession());
  document.addEventListener("visibilitychange", look);
  window.addEventListener("focus", look);
  arm();
}

import { noteRefusal, sessionStore } from "../session/session";
import { address, errorFrom, type QueryValue } from "./http";

/** Something that the server sends of its own accord. */
export interface ServerEvent {
  name: string;
  data: string;
}

/** The server sends nothing here: it has to be asked again and again. */
export class NoStream extends Error {
  override name = "NoStream";
}

/** Puts events together from pieces of text, as a stream of events is written. */
export class EventReader {
  #rest = "";
  #name = "message";
  #data: string[] = [];

  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (this.#data.length > 0) events.push({ name: this.#name, data: this.#data.join("\n") });
        this.#name = "message";
        this.#data = [];
      } else if (line.startsWith("event: ")) this.#name = line.slice("event: ".length);
      else if (line.startsWith("data: ")) this.#data.push(line.slice("data: ".length));
    }
    return events;
  }
}

/** Servers without streams are not asked for one again. */
let offered = true;
export const streamsMayExist = (): boolean => offered;

/** Whether an answer means that the server has no streams at all. */
function isUnknown(status: number, message: string): boolean {
  return status === 405 || status === 501 || (status === 404 && message === "Not Found");
}

/**
 * The events of a stream; `path` is below `/ui-api/`. Unlike with the browser's own way to read
 * them it is known why there are none, and headers go along.
 */
export async function* serverEvents(
  path: string,
  query: Record<string, QueryValue>,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  if (sessionStore.get().ended) throw new NoStream("your session has ended");
  const response = await fetch(
    address(`ui-api/${path}`, { noPayloadShorthand: "true", ...query }),
    {
      headers: { accept: "text/event-stream" },
      credentials: "same-origin",
      cache: "no-store",
      signal,
    },
  );
  if (response.status === 401 || response.status === 403) noteRefusal(response.status);
  const kind = response.headers.get("content-type") ?? "";
  if (!response.ok || !response.body || !kind.startsWith("text/event-stream")) {
    const text = await response.text();
    const { message } = errorFrom(response.status, response.statusText, text);
    if (response.ok || isUnknown(response.status, message)) offered = false;
    throw new NoStream(message);
  }
  const reader = new EventReader();
  const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await pieces.read();
      if (done) return;
      yield* reader.push(value);
    }
  } finally {
    void pieces.cancel().catch(() => {});
  }
}

/** Ends with another signal, or when nobody looks at the page: browsers allow few connections. */
export function whileVisible(signal: AbortSignal): AbortSignal {
  const ended = new AbortController();
  const look = (): void => {
    if (signal.aborted || document.visibilityState === "hidden") ended.abort();
  };
  signal.addEventListener("abort", look, { signal: ended.signal });
  document.addEventListener("visibilitychange", look, { signal: ended.signal });
  look();
  return ended.signal;
}

/** Waits until somebody looks at the page, or the signal comes. */
export function untilVisible(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const waited = new AbortController();
    const look = (): void => {
      if (!signal.aborted && document.visibilityState === "hidden") return;
      waited.abort();
      resolve();
    };
    signal.addEventListener("abort", look, { signal: waited.signal });
    document.addEventListener("visibilitychange", look, { signal: waited.signal });
    look();
  });
}

/** Waits a while, or until the signal comes. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}

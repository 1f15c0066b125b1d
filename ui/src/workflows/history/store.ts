import {
  NoStream,
  pause,
  serverEvents,
  streamsMayExist,
  untilVisible,
  whileVisible,
} from "../../api/events";
import { errorFrom, get, within } from "../../api/http";
import type { HistoryEvent, HistoryPage } from "../../api/types";
import { eventNumber } from "./events";
import { Grouper } from "./groups";

const PAGE_SIZE = 1000;
const RETRY_MS = 3_000;
const WAITS_MS = 1_500;
/** How often those who watch hear of new events while many come. */
const NOTIFY_MS = 120;

/** Servers keep events that are not written, and may never be, to clients of other names. */
const AS_PEOPLE = { "grpc-metadata-client-name": "temporal-ui" };

const CLOSING =
  /^EVENT_TYPE_WORKFLOW_EXECUTION_(COMPLETED|FAILED|TIMED_OUT|CANCELED|TERMINATED|CONTINUED_AS_NEW)$/;

/** What is known of a history. A new object for each change, so that views can compare it. */
export interface HistorySnapshot {
  version: number;
  count: number;
  /** All events that there were when the page was opened are here. */
  complete: boolean;
  closed: boolean;
  error: unknown;
}

/** A run's history: loaded page by page and followed while the run is open, outside of React's state. */
export class HistoryStore {
  readonly events: HistoryEvent[] = [];
  readonly grouper = new Grouper();
  #snapshot: HistorySnapshot = {
    version: 0,
    count: 0,
    complete: false,
    closed: false,
    error: undefined,
  };
  readonly #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  getSnapshot = (): HistorySnapshot => this.#snapshot;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** An event by its id. */
  event(id: number): HistoryEvent | undefined {
    const direct = this.events[id - 1];
    return direct && eventNumber(direct) === id
      ? direct
      : this.events.find((event) => eventNumber(event) === id);
  }

  /** Adds events; those that are known already are passed over. */
  add(events: HistoryEvent[]): void {
    let last = this.events.length === 0 ? 0 : eventNumber(this.events.at(-1) as HistoryEvent);
    for (const event of events) {
      const id = eventNumber(event);
      if (id <= last) continue;
      last = id;
      this.events.push(event);
      this.grouper.push(event);
    }
    const closing = this.events.at(-1);
    this.#change({
      count: this.events.length,
      closed: closing !== undefined && CLOSING.test(closing.eventType),
    });
  }

  #change(change: Partial<HistorySnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change, version: this.#snapshot.version + 1 };
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const listener of this.#listeners) listener();
    }, NOTIFY_MS);
  }

  /** Ends with everything there is. */
  finish(): void {
    if (!this.#snapshot.complete && this.#snapshot.error === undefined) {
      this.#change({ complete: true });
    }
  }

  /** Loads the history and follows it until the run is closed or the signal ends it. */
  async follow(
    namespace: string,
    workflowId: string,
    runId: string,
    signal: AbortSignal,
  ): Promise<void> {
    const path = within(namespace, "workflows", workflowId, "history");
    let nextPageToken: string | undefined;
    while (!signal.aborted) {
      // A poll that waits has nothing older to give.
      const waits = setTimeout(() => this.finish(), WAITS_MS);
      try {
        const page = await get<HistoryPage>(path, {
          query: {
            "execution.runId": runId,
            maximumPageSize: PAGE_SIZE,
            nextPageToken,
            waitNewEvent: true,
          },
          headers: AS_PEOPLE,
          signal,
        });
        const events = page.history?.events ?? [];
        this.add(events);
        if (this.#snapshot.error !== undefined) this.#change({ error: undefined });
        nextPageToken = page.nextPageToken || undefined;
        if (nextPageToken === undefined || events.length < PAGE_SIZE) this.finish();
        if (nextPageToken === undefined) {
          if (this.#snapshot.closed) return;
          await pause(RETRY_MS, signal);
        } else if (this.#snapshot.complete && streamsMayExist()) {
          if (await this.#listen(namespace, workflowId, runId, nextPageToken, signal)) return;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#change({ error });
        if (this.events.length === 0 && !isTransient(error)) return;
        nextPageToken = undefined;
        await pause(RETRY_MS, signal);
      } finally {
        clearTimeout(waits);
      }
    }
  }

  /** Takes what comes after a page as the server sends it. False where it sends nothing. */
  async #listen(
    namespace: string,
    workflowId: string,
    runId: string,
    nextPageToken: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const path = within(namespace, "workflows", workflowId, "runs", runId, "history", "stream");
    while (!signal.aborted) {
      await untilVisible(signal);
      const seen = whileVisible(signal);
      try {
        const lastEventId = this.events.at(-1)?.eventId;
        for await (const { name, data } of serverEvents(
          path,
          { nextPageToken, lastEventId },
          seen,
        )) {
          if (name === "failure") throw errorFrom(0, "", data);
          if (this.#snapshot.error !== undefined) this.#change({ error: undefined });
          if (name === "history") this.add([JSON.parse(data) as HistoryEvent]);
          if (name === "end") return true;
        }
      } catch (error) {
        if (seen.aborted) continue;
        if (error instanceof NoStream) return false;
        this.#change({ error });
      }
      await pause(RETRY_MS, signal);
    }
    return true;
  }
}

function isTransient(error: unknown): boolean {
  return (error as { transient?: boolean }).transient === true;
}

import { afterEach, expect, it, vi } from "vitest";
import { HistoryStore } from "./store";

const event = (id: number, type = "TIMER_STARTED") => ({
  eventId: String(id),
  eventTime: "2026-01-01T00:00:00Z",
  eventType: `EVENT_TYPE_${type}`,
});

afterEach(() => vi.unstubAllGlobals());

/** A server that gives these pages, and then waits. */
function serve(pages: object[]): string[] {
  const asked: string[] = [];
  vi.stubGlobal("document", { baseURI: "http://server/", cookie: "" });
  vi.stubGlobal("fetch", (url: string, { signal }: { signal: AbortSignal }) => {
    asked.push(new URL(url).searchParams.get("nextPageToken") ?? "");
    const page = pages.shift();
    if (page) return Promise.resolve(new Response(JSON.stringify(page)));
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("aborted")));
    });
  });
  return asked;
}

it("events that come twice count once", () => {
  const store = new HistoryStore();
  store.add([event(1), event(2)]);
  store.add([event(1), event(2), event(3)]);
  expect(store.events.map(({ eventId }) => eventId)).toEqual(["1", "2", "3"]);
  expect(store.grouper.groups).toHaveLength(3);
});

it("a closed run is loaded page by page, and then left alone", async () => {
  const asked = serve([
    { history: { events: [event(1)] }, nextPageToken: "two" },
    { history: { events: [event(2, "WORKFLOW_EXECUTION_COMPLETED")] } },
  ]);
  const store = new HistoryStore();
  await store.follow("default", "w", "r", new AbortController().signal);
  expect(asked).toEqual(["", "two"]);
  expect(store.getSnapshot()).toMatchObject({ count: 2, complete: true, closed: true });
});

it("an open run is followed from where it was", async () => {
  const asked = serve([
    { history: { events: [event(1)] }, nextPageToken: "wait" },
    { history: {}, nextPageToken: "wait more" },
  ]);
  const store = new HistoryStore();
  const ended = new AbortController();
  const following = store.follow("default", "w", "r", ended.signal);
  await vi.waitFor(() => expect(asked).toEqual(["", "wait", "wait more"]));
  expect(store.getSnapshot()).toMatchObject({ count: 1, complete: true, closed: false });
  ended.abort();
  await following;
});

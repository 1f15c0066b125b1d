import { afterEach, expect, it, vi } from "vitest";
import { HistoryStore } from "./store";

const event = (id: number, type = "TIMER_STARTED") => ({
  eventId: String(id),
  eventTime: "2026-01-01T00:00:00Z",
  eventType: `EVENT_TYPE_${type}`,
});

afterEach(() => vi.unstubAllGlobals());

/** A server that gives these pages, and then waits. */
function serve(pages: object[], stream?: Response): string[] {
  const asked: string[] = [];
  vi.stubGlobal("document", { baseURI: "http://server/", cookie: "", addEventListener: () => {} });
  vi.stubGlobal("fetch", (url: string, { signal }: { signal: AbortSignal }) => {
    if (new URL(url).pathname.startsWith("/ui-api/")) {
      return Promise.resolve(
        stream ?? new Response('{"code": 5, "message": "gone"}', { status: 404 }),
      );
    }
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

it("what comes after the last page is taken as the server sends it", async () => {
  const text = [event(2), event(3, "WORKFLOW_EXECUTION_COMPLETED")]
    .map((one) => `id: ${one.eventId}\nevent: history\ndata: ${JSON.stringify(one)}\n\n`)
    .join("");
  const headers = { "content-type": "text/event-stream" };
  const stream = new Response(`${text}event: end\ndata: {}\n\n`, { headers });
  const asked = serve([{ history: { events: [event(1)] }, nextPageToken: "wait" }], stream);
  const store = new HistoryStore();
  await store.follow("default", "w", "r", new AbortController().signal);
  expect(asked).toEqual([""]);
  expect(store.getSnapshot()).toMatchObject({ count: 3, complete: true, closed: true });
});

it("where nothing is sent, an open run is asked for from where it was", async () => {
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

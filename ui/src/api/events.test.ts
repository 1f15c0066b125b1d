import { afterEach, expect, it, vi } from "vitest";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

const load = () => import("./events");

it("events come in any pieces, and quiet lines are none", async () => {
  const { EventReader } = await load();
  const reader = new EventReader();
  expect(reader.push(": nothing new\n\nid: 1\nevent: his")).toEqual([]);
  expect(reader.push('tory\ndata: {\ndata: "a": 1}')).toEqual([]);
  expect(reader.push("\n\nevent: end\ndata: {}\n\n")).toEqual([
    { name: "history", data: '{\n"a": 1}' },
    { name: "end", data: "{}" },
  ]);
});

function answer(status: number, body: string, kind = "application/json"): void {
  vi.stubGlobal("document", { baseURI: "http://server/" });
  vi.stubGlobal("fetch", () =>
    Promise.resolve(new Response(body, { status, headers: { "content-type": kind } })),
  );
}

it("a server without streams is not asked again, one that refuses is", async () => {
  const { NoStream, serverEvents, streamsMayExist } = await load();
  const { signal } = new AbortController();
  answer(404, '{"code": 5, "message": "namespace not found"}');
  await expect(serverEvents("x", {}, signal).next()).rejects.toThrow(NoStream);
  expect(streamsMayExist()).toBe(true);
  answer(404, '{"code": 5, "message": "Not Found"}');
  await expect(serverEvents("x", {}, signal).next()).rejects.toThrow("Not Found");
  expect(streamsMayExist()).toBe(false);
});

it("a page where events should be means that there are none", async () => {
  const { NoStream, serverEvents, streamsMayExist } = await load();
  answer(200, "<html>", "text/html");
  const { signal } = new AbortController();
  await expect(serverEvents("x", {}, signal).next()).rejects.toThrow(NoStream);
  expect(streamsMayExist()).toBe(false);
});

it("a stream is read to its end", async () => {
  const { serverEvents } = await load();
  answer(200, "event: rows\ndata: 1\n\nevent: rows\ndata: 2\n\n", "text/event-stream");
  const read = [];
  for await (const event of serverEvents("x", {}, new AbortController().signal)) read.push(event);
  expect(read.map(({ data }) => data)).toEqual(["1", "2"]);
});

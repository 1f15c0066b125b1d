import { afterEach, describe, expect, it, vi } from "vitest";
import { readSession, sessionStore } from "../session/session";
import { call, errorFrom, get, getOwn, post, within } from "./http";

it("an error has the status that the server gave", () => {
  const body = JSON.stringify({
    code: 5,
    message: "workflow not found for ID: nope",
    details: [{ "@type": "type.googleapis.com/temporal.api.errordetails.v1.NotFoundFailure" }],
  });
  expect(errorFrom(404, "Not Found", body)).toMatchObject({
    code: "NOT_FOUND",
    status: 404,
    message: "workflow not found for ID: nope",
    details: ["temporal.api.errordetails.v1.NotFoundFailure"],
    transient: false,
  });
});

it("an answer of something in between has a status, too", () => {
  expect(errorFrom(502, "Bad Gateway", "<html>")).toMatchObject({
    code: "UNAVAILABLE",
    message: "Bad Gateway",
    transient: true,
  });
  expect(errorFrom(401, "", "null")).toMatchObject({
    code: "UNAUTHENTICATED",
    message: "the server answered 401",
  });
});

it("ids of any characters stay one part of the path", () => {
  expect(within("a/b", "workflows", "x?y#z/..")).toBe("namespaces/a%2Fb/workflows/x%3Fy%23z%2F..");
});

describe("requests of a session", () => {
  const session = (change: object = {}) =>
    readSession({
      enabled: true,
      providers: [],
      user: { name: "Alice" },
      csrfToken: "from the session",
      ...change,
    });
  const stub = (status = 200, body = "{}", type = "application/json"): void => {
    vi.stubGlobal("document", { baseURI: "http://here/", cookie: "a=b; _csrf=from-a-proxy" });
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => new Response(body, { status, headers: { "content-type": type } })),
    );
  };
  const sent = (): Record<string, string> =>
    vi.mocked(fetch).mock.calls[0]?.[1]?.headers as Record<string, string>;
  afterEach(() => {
    vi.unstubAllGlobals();
    sessionStore.set({ session: undefined, ended: false });
  });

  it("whatever changes something brings the session's token back, and reads do not", async () => {
    sessionStore.set({ session: session(), ended: false });
    for (const [method, token] of [
      ["GET", undefined],
      ["POST", "from the session"],
      ["DELETE", "from the session"],
    ] as const) {
      stub();
      await call(method, "x");
      expect(sent()["x-csrf-token"]).toBe(token);
    }
    sessionStore.set({ session: null, ended: false });
    stub();
    await post("x", {});
    expect(sent()["x-csrf-token"]).toBe("from-a-proxy");
  });

  it("after a refusal the server is asked who is signed in, and then nothing in vain", async () => {
    sessionStore.set({ session: session(), ended: false });
    stub(401, JSON.stringify({ code: 16, message: "no" }));
    vi.spyOn(performance, "now").mockReturnValue(1e9);
    await expect(get("x")).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    expect(vi.mocked(fetch).mock.calls.map(([url]) => String(url))).toEqual([
      "http://here/api/v1/x?noPayloadShorthand=true",
      "http://here/ui-api/session",
    ]);
    sessionStore.set({ session: session({ user: null }), ended: true });
    stub();
    await expect(post("x", {})).rejects.toMatchObject({ message: "your session has ended" });
    expect(fetch).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it("what only Longtide's server knows is nothing on others", async () => {
    sessionStore.set({ session: session(), ended: false });
    stub(200, '{"a": 1}');
    expect(await getOwn("ui-api/permissions")).toEqual({ a: 1 });
    stub(404, "{}");
    expect(await getOwn("ui-api/permissions")).toBeNull();
    stub(200, "<html>", "text/html");
    expect(await getOwn("ui-api/permissions")).toBeNull();
    sessionStore.set({ session: null, ended: false });
    stub();
    expect(await getOwn("ui-api/permissions")).toBeNull();
    expect(fetch).not.toHaveBeenCalled();
  });
});

import { afterEach, describe, expect, it, vi } from "vitest";
import { exitFrom } from "./actions";
import { safeReturn } from "./addresses";
import { signInError } from "./errors";
import { after, askSession, isSignInNeeded, readSession, sessionStore } from "./session";

const ANSWER = {
  enabled: true,
  redirectToProvider: false,
  providers: [{ name: "sso", label: "Company" }, { name: "other" }, {}, null],
  user: { name: "Alice", email: "alice@example.com" },
  expires: "2026-11-22T10:00:00Z",
  csrfToken: "t",
};
const signedIn = readSession(ANSWER);
const signedOut = readSession({ ...ANSWER, user: null, expires: null, csrfToken: null });

it("a session is read, and what is none is nothing", () => {
  expect(signedIn).toEqual({
    enabled: true,
    redirectToProvider: false,
    providers: [
      { name: "sso", label: "Company" },
      { name: "other", label: "other" },
    ],
    user: { name: "Alice", email: "alice@example.com" },
    expires: Date.UTC(2026, 10, 22, 10),
    csrfToken: "t",
  });
  expect(signedOut).toMatchObject({ user: undefined, expires: undefined, csrfToken: undefined });
  expect(readSession({ ...ANSWER, user: { email: "a@b" } })?.user?.name).toBe("a@b");
  for (const none of [null, undefined, "x", [], {}, { enabled: "yes" }]) {
    expect(readSession(none)).toBeNull();
  }
});

it("a session has ended only for who was signed in on this page", () => {
  const first = { session: undefined, ended: false };
  expect(after(first, null)).toEqual({ session: null, ended: false });
  const out = after(first, signedOut);
  expect(out.ended).toBe(false);
  expect(isSignInNeeded(out)).toBe(true);
  const within = after(out, signedIn);
  expect(isSignInNeeded(within)).toBe(false);
  const ended = after(within, signedOut);
  expect(ended.ended).toBe(true);
  expect(after(ended, signedOut).ended).toBe(true);
  expect(after(ended, signedIn).ended).toBe(false);
  expect(isSignInNeeded(after(first, readSession({ ...ANSWER, enabled: false, user: null })))).toBe(
    false,
  );
});

it("one comes back to a path of this server and to nothing else", () => {
  for (const good of ["/", "/namespaces/a%2Fb/workflows?query=x%20%3D%20%22y%22#z", "/audit"]) {
    expect(safeReturn(good, "/ui/")).toBe(good);
  }
  for (const bad of [
    undefined,
    "",
    "audit",
    "//evil.example",
    "/\\evil.example",
    "/a\\..\\b",
    "https://evil.example/",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\n/evil.example",
    "/ /evil.example",
    "/sign-in?returnUrl=/sign-in",
  ]) {
    expect(safeReturn(bad, "/ui/")).toBe("/ui/");
  }
});

it("each error of a sign-in has words of its own, and texts of the address are not shown", () => {
  const codes = ["state", "denied", "not-allowed", "provider", "expired", "cookie"];
  const titles = codes.map((code) => signInError(code)?.title);
  expect(new Set(titles).size).toBe(codes.length);
  expect(signInError(undefined)).toBeUndefined();
  for (const odd of ["<b>", "constructor", "__proto__", "toString"]) {
    expect(signInError(odd)?.title).toBe("The sign-in did not work");
  }
});

it("one leaves to the provider's end, and to no script", () => {
  const of = (endSessionUrl: unknown) =>
    exitFrom(JSON.stringify({ endSessionUrl }), "http://here/");
  expect(of("https://login.example/end?x=1")).toBe("https://login.example/end?x=1");
  expect(of("/auth/end-session?p=sso")).toBe("http://here/auth/end-session?p=sso");
  for (const none of [null, undefined, "", 7, "javascript:alert(1)", "data:text/html,x"]) {
    expect(of(none)).toBeUndefined();
  }
  expect(exitFrom("<html>", "http://here/")).toBeUndefined();
});

describe("asking the server", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    sessionStore.set({ session: undefined, ended: false });
  });
  const answer = (body: string, status = 200, type = "application/json"): void => {
    vi.stubGlobal("document", { baseURI: "http://here/ui/" });
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => new Response(body, { status, headers: { "content-type": type } })),
    );
  };

  it("a server without sessions has none, whatever it answers", async () => {
    for (const [body, status, type] of [
      ['{"code": 5}', 404, "application/json"],
      ["<html>", 200, "text/html"],
      ["{}", 200, "application/json"],
    ] as const) {
      sessionStore.set({ session: undefined, ended: false });
      answer(body, status, type);
      expect(await askSession()).toEqual({ session: null, ended: false });
    }
  });

  it("those who ask at once share the answer, and trouble of the server ends no session", async () => {
    answer(JSON.stringify(ANSWER));
    const [one, other] = await Promise.all([askSession(), askSession()]);
    expect(one).toBe(other);
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(String(vi.mocked(fetch).mock.calls[0]?.[0])).toBe("http://here/ui/ui-api/session");
    answer("<html>", 502, "text/html");
    expect((await askSession()).session?.user?.name).toBe("Alice");
    vi.stubGlobal(
      "fetch",
      vi.fn(async () => Promise.reject(new TypeError("no connection"))),
    );
    expect((await askSession()).ended).toBe(false);
    answer(JSON.stringify({ ...ANSWER, user: null }));
    expect((await askSession()).ended).toBe(true);
  });
});

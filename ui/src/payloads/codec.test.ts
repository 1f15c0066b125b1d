import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { codecStore, codecTokenStore } from "../settings/store";
import { CodecError, codecAddress, decoded, encoded, mayCarryToken } from "./codec";
import { jsonPayload } from "./decode";

const secret = (text: string) => ({
  metadata: { encoding: btoa("binary/encrypted") },
  data: btoa(text),
});

let requests: { url: string; init: RequestInit }[] = [];

beforeEach(() => {
  requests = [];
  codecStore.set({ endpoint: "https://codec.test/{namespace}", includeCredentials: false });
  codecTokenStore.set("");
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    requests.push({ url, init });
    const { payloads } = JSON.parse(String(init.body)) as { payloads: { data: string }[] };
    return Promise.resolve(
      new Response(
        JSON.stringify({ payloads: payloads.map(({ data }) => jsonPayload(`"${atob(data)}"`)) }),
      ),
    );
  });
});
afterEach(() => vi.unstubAllGlobals());

it("payloads of one moment are decoded by one request, with the namespace in it", async () => {
  const [a, b] = await Promise.all([
    decoded("team a", secret("a")),
    decoded("team a", secret("b")),
  ]);
  expect([a, b]).toEqual([jsonPayload('"a"'), jsonPayload('"b"')]);
  expect(requests).toHaveLength(1);
  expect(requests[0]?.url).toBe("https://codec.test/team%20a/decode");
  expect(requests[0]?.init.headers).toMatchObject({ "x-namespace": "team a" });
  expect(requests[0]?.init.credentials).toBe("omit");
});

it("what needs no codec is never sent", async () => {
  const plain = jsonPayload("1");
  expect(await decoded("n", plain)).toBe(plain);
  expect(requests).toEqual([]);
});

it("a token goes over https only, or to this machine", async () => {
  expect(mayCarryToken("https://codec.test/decode")).toBe(true);
  expect(mayCarryToken("http://localhost:8081/decode")).toBe(true);
  expect(mayCarryToken("http://codec.test/decode")).toBe(false);
  codecTokenStore.set("t");
  await decoded("n", secret("x"));
  expect(requests[0]?.init.headers).toMatchObject({ authorization: "Bearer t" });
  codecStore.set({ endpoint: "http://codec.test", includeCredentials: true });
  await expect(decoded("n", secret("y"))).rejects.toThrow(CodecError);
  expect(requests).toHaveLength(1);
});

describe("an answer that is not as it must be", () => {
  it("is an error, and is asked for again", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify({ payloads: [] }))));
    await expect(decoded("n", secret("z"))).rejects.toThrow("another number of payloads");
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("no", { status: 403 })));
    await expect(decoded("n", secret("z"))).rejects.toThrow("answered 403");
  });
});

it("an address must be one of the web", () => {
  const at = (endpoint: string) =>
    codecAddress({ endpoint, includeCredentials: false }, "n", "decode");
  expect(at("http://h:1/base")).toBe("http://h:1/base/decode");
  expect(() => at("codec")).toThrow("is no address");
  expect(() => at("javascript:alert(1)")).toThrow("http or https");
});

it("inputs are encoded when a codec server is known", async () => {
  expect(await encoded("n", [])).toEqual([]);
  await encoded("n", [secret("q")]);
  expect(requests[0]?.url).toBe("https://codec.test/n/encode");
  codecStore.set({ endpoint: "", includeCredentials: false });
  const plain = [jsonPayload("1")];
  expect(await encoded("n", plain)).toBe(plain);
});

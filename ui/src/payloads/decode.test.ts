import { describe, expect, it } from "vitest";
import {
  base64From,
  bytesFrom,
  decode,
  isEncoded,
  jsonPayload,
  oneLine,
  payloadsIn,
  searchAttributeText,
  stringFrom,
} from "./decode";
import { jsonLines, prettyJson } from "./json";

const payload = (encoding: string, data: string, more: Record<string, string> = {}) => ({
  metadata: Object.fromEntries(
    Object.entries({ encoding, ...more }).map(([key, value]) => [key, btoa(value)]),
  ),
  data,
});

describe("a payload", () => {
  it("of JSON keeps every digit", () => {
    const text = '{"id":12345678901234567890,"ü":"€"}';
    expect(decode(jsonPayload(text))).toEqual({ kind: "json", encoding: "json/plain", text });
    expect(prettyJson(text)).toBe('{\n  "id": 12345678901234567890,\n  "ü": "€"\n}');
  });

  it("of nothing, of bytes and of messages is told apart", () => {
    expect(decode(payload("binary/null", ""))).toMatchObject({ kind: "null" });
    expect(decode(payload("binary/plain", btoa("\x00\xff")))).toMatchObject({
      kind: "binary",
      bytes: new Uint8Array([0, 255]),
    });
    expect(decode(payload("json/protobuf", btoa("{}"), { messageType: "a.B" }))).toMatchObject({
      kind: "json",
      type: "a.B",
    });
    expect(decode({ data: btoa("hello") })).toMatchObject({ kind: "text", text: "hello" });
    expect(decode({})).toMatchObject({ kind: "text", text: "" });
  });

  it("that only a codec reads says so, with its key", () => {
    const secret = payload("binary/encrypted", btoa("xyz"), { "encryption-key-id": "key-1" });
    expect(isEncoded(secret)).toBe(true);
    expect(decode(secret)).toMatchObject({
      kind: "encoded",
      encoding: "binary/encrypted",
      keyId: "key-1",
    });
    expect(oneLine(secret)).toBe("encoded (binary/encrypted)");
    expect(isEncoded(payload("json/plain", ""))).toBe(false);
  });

  it("with broken bytes is no error", () => {
    expect(decode(payload("json/plain", "%%%"))).toMatchObject({ kind: "json", text: "" });
    expect(decode(payload("json/plain", btoa("\xff\xfe")))).toMatchObject({ kind: "binary" });
  });
});

it("base64 goes both ways, in either alphabet and at any length", () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at % 256);
  expect(bytesFrom(base64From(bytes))).toEqual(bytes);
  expect(bytesFrom("-_8=")).toEqual(bytesFrom("+/8="));
});

it("texts are read from JSON strings only", () => {
  expect(stringFrom(jsonPayload('"a **b**"'))).toBe("a **b**");
  expect(stringFrom(jsonPayload("17"))).toBeUndefined();
  expect(stringFrom(undefined)).toBeUndefined();
  expect(searchAttributeText(jsonPayload('["a","b"]'))).toBe("a, b");
});

it("payloads are found where messages hold them, and nowhere else", () => {
  const one = jsonPayload("1");
  expect(payloadsIn({ payloads: [one] })).toEqual([one]);
  expect(payloadsIn(one)).toEqual([one]);
  expect(payloadsIn({ metadata: { name: "x" } })).toBeUndefined();
  expect(payloadsIn([one])).toBeUndefined();
  expect(payloadsIn("text")).toBeUndefined();
});

describe("JSON as lines", () => {
  it("is as JSON.stringify writes it", () => {
    for (const value of [
      {},
      [],
      [[], {}],
      { a: [1, { b: null }], c: "x,{}[]:" },
      "text",
      -1.5e-7,
      true,
    ]) {
      expect(prettyJson(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
    }
  });

  it("is none for what is no JSON", () => {
    expect(jsonLines("{a}")).toBeUndefined();
    expect(prettyJson("<b>not</b>")).toBe("<b>not</b>");
  });

  it("of much is made in little time", () => {
    const text = JSON.stringify(
      Array.from({ length: 50_000 }, (_, at) => ({ at, text: "x".repeat(10) })),
    );
    const before = performance.now();
    expect(jsonLines(text)?.length).toBe(200_002);
    expect(performance.now() - before).toBeLessThan(20_000);
  });
});

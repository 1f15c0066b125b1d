import { expect, it, vi } from "vitest";
import { newId } from "./api";
import { firstError, payloadsOf } from "./arguments";
import { cli, curl, shellWord } from "./commands";

it("ids are random ones of version 4", () => {
  expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(newId()).not.toBe(newId());
});

it("arguments that are left empty at the end are none", () => {
  const argument = (text: string) => ({ text, encoding: "json/plain" as const });
  expect(payloadsOf([argument(""), argument(" ")])).toEqual([]);
  expect(payloadsOf([argument("1"), argument("")])).toHaveLength(1);
  expect(firstError([argument("1"), argument("{")])).toMatch(/^argument 2 is no JSON/);
  expect(firstError([argument(""), argument("2")])).toMatch(/^argument 1 is no JSON/);
  expect(firstError([argument("")])).toBeUndefined();
});

it("words of a shell cannot be left", () => {
  expect(shellWord("order-1")).toBe("order-1");
  expect(shellWord("a b")).toBe("'a b'");
  expect(shellWord("it's; rm -rf $HOME")).toBe(`'it'\\''s; rm -rf $HOME'`);
  expect(shellWord("")).toBe("''");
  expect(cli("workflow", "list", "-q", 'A = "b"')).toBe(`temporal workflow list -q 'A = "b"'`);
  vi.stubGlobal("document", { baseURI: "http://server/" });
  expect(curl("POST", "http://server/x", { a: "'" })).toBe(
    `curl -X POST http://server/x -d '{"a":"'\\''"}'`,
  );
});

import { expect, it } from "vitest";
import { found, type OpenSession, personOf } from "./sessions";

const session = (change: Partial<OpenSession>): OpenSession => ({
  id: "i",
  name: "",
  email: "",
  subject: "",
  provider: "people",
  address: "10.0.0.7",
  created: "",
  used: "",
  expires: "",
  ...change,
});

it("a session is named after whose it is, by what is known of the person", () => {
  expect(personOf(session({ name: "Alice", email: "a@b" }))).toBe("Alice");
  expect(personOf(session({ email: "a@b", subject: "42" }))).toBe("a@b");
  expect(personOf(session({}))).toBe("unknown");
});

it("sessions are found by all words, wherever they stand", () => {
  const all = [session({ name: "Alice" }), session({ name: "Bob", address: "10.0.0.8" })];
  expect(found(all, "")).toHaveLength(2);
  expect(found(all, "people ALI")).toEqual([all[0]]);
  expect(found(all, "0.8")).toEqual([all[1]]);
  expect(found(all, "alice 0.8")).toEqual([]);
});

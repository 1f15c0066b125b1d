import { expect, it } from "vitest";
import { durationOf, durationProblem, flag, objectProblem, payloadMap } from "./written";

it("what is left out is no problem, and nothing", () => {
  expect([durationProblem(""), objectProblem(" ")]).toEqual([undefined, undefined]);
  expect([durationOf(" "), payloadMap("")]).toEqual([undefined, undefined]);
  expect(flag("--reason", " ")).toEqual([]);
});

it("what is written wrong says how it is meant", () => {
  expect(durationProblem("soon")).toMatch(/`soon` is no duration, as 90s/);
  expect(objectProblem("[1]")).toMatch(/must be an object/);
  expect(objectProblem("{")).toMatch(/^no JSON object/);
});

it("what is written right is what the server takes", () => {
  expect(durationOf("1m30s")).toBe("90s");
  expect(payloadMap('{"a": 1}')).toEqual({
    a: { metadata: { encoding: btoa("json/plain") }, data: btoa("1") },
  });
  expect(flag("--reason", " why ")).toEqual(["--reason", "why"]);
});

import { expect, it } from "vitest";
import { forbidden } from "./serverSettings";

it("one action is forbidden, or all of them", () => {
  expect(forbidden({}, "terminate")).toBeUndefined();
  const one = { WorkflowTerminateDisabled: true };
  expect(forbidden(one, "terminate")).toMatch(/turned this off/);
  expect(forbidden(one, "cancel")).toBeUndefined();
  expect(forbidden(one, "write")).toBeUndefined();
  const all = { DisableWriteActions: true };
  expect(forbidden(all, "write")).toMatch(/only to read/);
  expect(forbidden(all, "terminate")).toMatch(/only to read/);
});

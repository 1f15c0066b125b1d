import { expect, it } from "vitest";
import { type Decision, grouped, isOpen, type Permissions, refusal } from "./permissions";

const decision = (change: Partial<Decision>): Decision => ({
  allowed: false,
  rule: null,
  needs: "write",
  on: "namespace",
  about: "workflows",
  ...change,
});

const permissions = (decisions: Record<string, Decision>): Permissions => ({
  namespace: "orders",
  decisions,
});

it("a refusal names the right that is missing, or the policy that forbids", () => {
  const told = permissions({
    StartWorkflowExecution: decision({}),
    ListWorkflowExecutions: decision({ allowed: true, rule: "orders:read", needs: "read" }),
    TerminateWorkflowExecution: decision({ rule: "no-terminations.cedar/1" }),
    CreateNexusEndpoint: decision({ needs: "admin", on: "cluster" }),
  });
  const of = (method: string) => refusal(method, "orders", told);
  expect(of("ListWorkflowExecutions")).toBeUndefined();
  expect(of("StartWorkflowExecution")).toBe(
    "You may not: it needs orders:write, which you do not have.",
  );
  expect(of("TerminateWorkflowExecution")).toContain("no-terminations.cedar/1 forbids");
  expect(of("CreateNexusEndpoint")).toContain("temporal-system:admin");
  // What the server does not speak of it decides when it is asked.
  expect(of("Unheard")).toBeUndefined();
  expect(refusal("StartWorkflowExecution", "orders", null)).toBeUndefined();
  expect(
    refusal("StartWorkflowExecution", "orders", {
      namespace: "orders",
      methods: { StartWorkflowExecution: false },
    }),
  ).toBe("Your roles do not allow this.");
});

it("a namespace is open to who may do anything in it", () => {
  const open = decision({ allowed: true, needs: "nothing" });
  const onCluster = decision({ allowed: true, on: "cluster", needs: "read" });
  const harmless = { GetSystemInfo: open, ListNamespaces: onCluster };
  expect(isOpen(permissions({ ...harmless, StartWorkflowExecution: decision({}) }))).toBe(false);
  const worker = decision({ allowed: true, needs: "worker" });
  expect(isOpen(permissions({ ...harmless, PollWorkflowTaskQueue: worker }))).toBe(true);
  expect(isOpen({ namespace: "orders" })).toBe(true);
});

it("methods are grouped by what they work on, and found by any of their words", () => {
  const all = {
    StartWorkflowExecution: decision({}),
    ListWorkflowExecutions: decision({ allowed: true, rule: "orders:read", needs: "read" }),
    CreateSchedule: decision({ about: "schedules" }),
  };
  expect(grouped(all, {}).map(([about, rows]) => [about, rows.map(([method]) => method)])).toEqual([
    ["schedules", ["CreateSchedule"]],
    ["workflows", ["ListWorkflowExecutions", "StartWorkflowExecution"]],
  ]);
  const found = (find: string, show?: "allowed" | "refused") =>
    grouped(all, { find, show }).flatMap(([, rows]) => rows.map(([method]) => method));
  expect(found("orders:read")).toEqual(["ListWorkflowExecutions"]);
  expect(found("write start")).toEqual(["StartWorkflowExecution"]);
  expect(found("", "allowed")).toEqual(["ListWorkflowExecutions"]);
  expect(found("list", "refused")).toEqual([]);
});

import { describe, expect, it } from "vitest";
import {
  type Condition,
  conditionText,
  filterFromWords,
  filterText,
  parseFilter,
  quote,
  statusesOf,
  withStatuses,
} from "./filter";

const TYPES = {
  ExecutionStatus: "INDEXED_VALUE_TYPE_KEYWORD",
  HistoryLength: "INDEXED_VALUE_TYPE_INT",
  Urgent: "INDEXED_VALUE_TYPE_BOOL",
  StartTime: "INDEXED_VALUE_TYPE_DATETIME",
};

describe("a filter of conditions", () => {
  const conditions: Condition[] = [
    { field: "WorkflowType", operator: "=", values: ["Order"] },
    { field: "ExecutionStatus", operator: "IN", values: ["Failed", "TimedOut"] },
    { field: "HistoryLength", operator: ">", values: ["100"] },
    { field: "Urgent", operator: "=", values: ["true"] },
    {
      field: "StartTime",
      operator: "BETWEEN",
      values: ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"],
    },
    { field: "ParentWorkflowId", operator: "IS NULL", values: [] },
    { field: "Customer Name", operator: "NOT STARTS_WITH", values: ['O"Neil \\ Sons'] },
    { field: "TaskQueue", operator: "NOT IN", values: ["a, b", "c)"] },
  ];

  it("is read again as it was written", () => {
    expect(parseFilter(filterText(conditions, TYPES))).toEqual(conditions);
  });

  it("quotes what is no number and no truth", () => {
    expect(filterText(conditions.slice(0, 4), TYPES)).toBe(
      'WorkflowType = "Order" AND ExecutionStatus IN ("Failed", "TimedOut") AND HistoryLength > 100 AND Urgent = true',
    );
    expect(conditionText({ field: "OrderId", operator: "=", values: ["17"] }, TYPES)).toBe(
      'OrderId = "17"',
    );
  });

  it("cannot be left by a value", () => {
    const hostile = '" OR WorkflowId != "';
    const text = conditionText({ field: "WorkflowId", operator: "=", values: [hostile] });
    expect(parseFilter(text)).toEqual([{ field: "WorkflowId", operator: "=", values: [hostile] }]);
  });

  it.each([
    "WorkflowId = 'a' OR WorkflowId = 'b'",
    "(WorkflowId = 'a')",
    "WorkflowId = 'a' ORDER BY StartTime",
    "StartTime > now() - '1h'",
    "WorkflowId =",
    "WorkflowId = 'a' AND",
    "NOT WorkflowId = 'a'",
    "TaskQueue IN ()",
  ])("stays text: %s", (text) => {
    expect(parseFilter(text)).toBeUndefined();
  });

  it("is empty for nothing", () => {
    expect(parseFilter("  ")).toEqual([]);
  });

  it("reads either quotes, and words in any case", () => {
    expect(parseFilter("`WorkflowType` = 'it\\'s' and CloseTime is not null")).toEqual([
      { field: "WorkflowType", operator: "=", values: ["it's"] },
      { field: "CloseTime", operator: "IS NOT NULL", values: [] },
    ]);
  });
});

describe("statuses of a filter", () => {
  const conditions = parseFilter('WorkflowType = "Order" AND ExecutionStatus = "Running"') ?? [];

  it("are taken out and put in", () => {
    expect(statusesOf(conditions)).toEqual(["Running"]);
    expect(filterText(withStatuses(conditions, []))).toBe('WorkflowType = "Order"');
    expect(filterText(withStatuses(conditions, ["Failed", "Running"]))).toBe(
      'ExecutionStatus IN ("Failed", "Running") AND WorkflowType = "Order"',
    );
  });
});

describe("what somebody types", () => {
  it("is the beginning of an id when it is no filter", () => {
    expect(filterFromWords("order-1")).toBe('WorkflowId STARTS_WITH "order-1"');
    expect(filterFromWords('WorkflowType = "Order"')).toBe('WorkflowType = "Order"');
    expect(filterFromWords(" ")).toBe("");
  });

  it("is quoted", () => {
    expect(quote('a"b\\c')).toBe('"a\\"b\\\\c"');
  });
});

import { createKeptStore } from "../../kit/store";

/** A filter with a name. */
export interface SavedView {
  name: string;
  query: string;
}

export const VIEWS_MAX = 50;

const HOUR_MS = 3_600_000;

/** Views that everybody has. Their times are those of the click. */
export function systemViews(now: Date): SavedView[] {
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const hourAgo = new Date(now.getTime() - HOUR_MS);
  return [
    { name: "All", query: "" },
    { name: "Running", query: 'ExecutionStatus = "Running"' },
    { name: "Failures", query: 'ExecutionStatus IN ("Failed", "TimedOut", "Terminated")' },
    {
      name: "Failing workflow tasks",
      query:
        'ExecutionStatus = "Running" AND TemporalReportedProblems IN ("category=WorkflowTaskFailed", "category=WorkflowTaskTimedOut")',
    },
    { name: "Without parent", query: "ParentWorkflowId IS NULL" },
    { name: "Started today", query: `StartTime >= "${midnight.toISOString()}"` },
    { name: "Started in the last hour", query: `StartTime >= "${hourAgo.toISOString()}"` },
  ];
}

/** Views of one's own, in this browser. */
export const savedViewsStore = createKeptStore<SavedView[]>("longtide.views", (stored) =>
  Array.isArray(stored)
    ? stored
        .filter(
          (one): one is SavedView =>
            typeof one?.name === "string" && typeof one?.query === "string",
        )
        .slice(0, VIEWS_MAX)
    : [],
);

/** Keeps a view; one of the same name is replaced. */
export function keepView(views: SavedView[], view: SavedView): SavedView[] {
  const others = views.filter(({ name }) => name !== view.name);
  return [...others, view].slice(-VIEWS_MAX);
}

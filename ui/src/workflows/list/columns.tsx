import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { WorkflowExecutionInfo } from "../../api/types";
import { Status } from "../../kit/Status";
import { createKeptStore } from "../../kit/store";
import { oneLine, searchAttributeText } from "../../payloads/decode";
import { formatBytes, formatCount } from "../../time/format";
import { Elapsed, Time } from "../../time/Time";

export interface ColumnChoice {
  /** Shown columns in their order; search attributes as `sa:Name`, memo entries as `memo:name`. */
  shown: string[];
}

export const BUILT_IN: { id: string; label: string }[] = [
  { id: "status", label: "Status" },
  { id: "workflowId", label: "Workflow id" },
  { id: "runId", label: "Run id" },
  { id: "type", label: "Type" },
  { id: "start", label: "Started" },
  { id: "close", label: "Closed" },
  { id: "duration", label: "Duration" },
  { id: "taskQueue", label: "Task queue" },
  { id: "parent", label: "Parent" },
  { id: "historyLength", label: "Events" },
  { id: "historySize", label: "History size" },
  { id: "stateTransitions", label: "State transitions" },
  { id: "deployment", label: "Deployment" },
];

const DEFAULT = ["status", "workflowId", "type", "start", "close", "duration", "taskQueue"];

export const columnsStore = createKeptStore<ColumnChoice>("longtide.columns", (stored) => {
  const shown = (stored as Partial<ColumnChoice> | null)?.shown;
  return {
    shown:
      Array.isArray(shown) && shown.length > 0 && shown.every((id) => typeof id === "string")
        ? shown
        : DEFAULT,
  };
});

export function columnLabel(id: string): string {
  const builtIn = BUILT_IN.find((one) => one.id === id);
  return builtIn?.label ?? id.slice(id.indexOf(":") + 1);
}

const helper = createColumnHelper<WorkflowExecutionInfo>();
const none = <span className="faint">–</span>;

export function columnsFor(namespace: string, ids: string[]) {
  return ids.map((id) =>
    helper.display({
      id,
      header: columnLabel(id),
      cell: (cell) => content(namespace, id, cell.row.original),
    }),
  );
}

function content(namespace: string, id: string, row: WorkflowExecutionInfo) {
  const { workflowId, runId = "" } = row.execution;
  switch (id) {
    case "status":
      return <Status status={row.status} />;
    case "workflowId":
      return (
        <Link
          to="/namespaces/$namespace/workflows/$workflowId/$runId"
          params={{ namespace, workflowId, runId }}
          className="row-link mono"
          data-workflow-id={workflowId}
        >
          {workflowId}
        </Link>
      );
    case "runId":
      return <span className="mono faint">{runId}</span>;
    case "type":
      return row.type?.name ?? none;
    case "start":
      return <Time value={row.startTime} />;
    case "close":
      return <Time value={row.closeTime} />;
    case "duration":
      return <Elapsed from={row.startTime} to={row.closeTime} />;
    case "taskQueue":
      return row.taskQueue === undefined ? (
        none
      ) : (
        <Link
          to="/namespaces/$namespace/task-queues/$taskQueue"
          params={{ namespace, taskQueue: row.taskQueue }}
          className="quiet-link"
        >
          {row.taskQueue}
        </Link>
      );
    case "parent":
      return row.parentExecution ? (
        <Link
          to="/namespaces/$namespace/workflows/$workflowId/$runId"
          params={{
            namespace,
            workflowId: row.parentExecution.workflowId,
            runId: row.parentExecution.runId ?? "",
          }}
          className="quiet-link mono"
        >
          {row.parentExecution.workflowId}
        </Link>
      ) : (
        none
      );
    case "historyLength":
      return row.historyLength === undefined ? none : formatCount(Number(row.historyLength));
    case "historySize":
      return row.historySizeBytes === undefined ? none : formatBytes(Number(row.historySizeBytes));
    case "stateTransitions":
      return row.stateTransitionCount === undefined
        ? none
        : formatCount(Number(row.stateTransitionCount));
    case "deployment":
      return row.workerDeploymentName ?? none;
    default: {
      const name = id.slice(id.indexOf(":") + 1);
      const payload = id.startsWith("sa:")
        ? row.searchAttributes?.indexedFields?.[name]
        : row.memo?.fields?.[name];
      if (!payload) return none;
      return id.startsWith("sa:") ? searchAttributeText(payload) : oneLine(payload);
    }
  }
}

import { queryOptions } from "@tanstack/react-query";
import { get, post, within } from "../../api/http";
import type {
  DescribeTaskQueue,
  DescribeWorkflow,
  ListWorkers,
  ListWorkflows,
  Payload,
  Payloads,
} from "../../api/types";
import { watched } from "../../api/watch";
import { quote } from "../list/filter";

const OPEN_REFRESH_MS = 4_000;
const POLLERS_REFRESH_MS = 10_000;

export const isOpen = (status: string | undefined): boolean =>
  status === "WORKFLOW_EXECUTION_STATUS_RUNNING" || status === "WORKFLOW_EXECUTION_STATUS_PAUSED";

export const describeQuery = (namespace: string, workflowId: string, runId: string) =>
  queryOptions({
    queryKey: ["workflow", namespace, workflowId, runId],
    queryFn: ({ signal }) =>
      get<DescribeWorkflow>(within(namespace, "workflows", workflowId), {
        query: { "execution.runId": runId },
        signal,
      }),
    refetchInterval: (query) =>
      isOpen(query.state.data?.workflowExecutionInfo.status) ? OPEN_REFRESH_MS : false,
  });

export type TaskQueueKind = "workflow" | "activity" | "nexus";
const KIND_NUMBERS: Record<TaskQueueKind, number> = { workflow: 1, activity: 2, nexus: 3 };

export const taskQueueQuery = (namespace: string, name: string, kind: TaskQueueKind) =>
  queryOptions({
    queryKey: ["task-queue", namespace, name, kind],
    queryFn: ({ signal }) =>
      get<DescribeTaskQueue>(within(namespace, "task-queues", name), {
        query: { taskQueueType: KIND_NUMBERS[kind], reportStats: true },
        signal,
      }),
    refetchInterval: POLLERS_REFRESH_MS,
  });

export const workersQuery = (namespace: string, query: string) =>
  watched<ListWorkers>({
    queryKey: ["workers", namespace, query],
    path: within(namespace, "workers"),
    query: { query, pageSize: 100 },
    refresh: POLLERS_REFRESH_MS,
  });

const RELATED_MAX = 100;

/** The runs that a filter finds, newest first. */
export const relatedQuery = (namespace: string, query: string) =>
  queryOptions({
    queryKey: ["related", namespace, query],
    queryFn: ({ signal }) =>
      get<ListWorkflows>(within(namespace, "workflows"), {
        query: { query, pageSize: RELATED_MAX },
        signal,
      }),
    refetchInterval: POLLERS_REFRESH_MS,
  });

export const childrenFilter = (workflowId: string, runId: string): string =>
  `ParentWorkflowId = ${quote(workflowId)} AND ParentRunId = ${quote(runId)}`;

/** Asks a workflow's code. */
export async function queryWorkflow(
  namespace: string,
  workflowId: string,
  runId: string,
  queryType: string,
  args: Payload[] = [],
  signal?: AbortSignal,
): Promise<Payload[]> {
  const answer = await post<{ queryResult?: Payloads; queryRejected?: { status?: string } }>(
    within(namespace, "workflows", workflowId, "query", queryType),
    {
      execution: { workflowId, runId },
      query: { queryType, ...(args.length > 0 ? { queryArgs: { payloads: args } } : {}) },
    },
    { signal },
  );
  if (answer.queryRejected) {
    throw new Error(`the query was rejected: the workflow is ${answer.queryRejected.status}`);
  }
  return answer.queryResult?.payloads ?? [];
}

export interface HandlerDefinition {
  name?: string;
  description?: string;
}

export interface WorkflowMetadata {
  currentDetails?: string;
  definition?: {
    type?: string;
    queryDefinitions?: HandlerDefinition[];
    signalDefinitions?: HandlerDefinition[];
    updateDefinitions?: HandlerDefinition[];
  };
}

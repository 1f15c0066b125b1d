import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { decoded } from "../../payloads/codec";
import { decode } from "../../payloads/decode";
import { queryWorkflow, type WorkflowMetadata } from "./queries";

/** What the workflow's code says about itself. Not every SDK does, and a worker must be there to ask. */
export function useWorkflowMetadata(
  namespace: string,
  workflowId: string,
  runId: string,
  open: boolean,
  /** Asked anew when there are more. */
  events: number,
): WorkflowMetadata | undefined {
  const { data } = useQuery({
    queryKey: ["workflow-metadata", namespace, workflowId, runId, open ? events : 0],
    enabled: open && events > 0,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<WorkflowMetadata | null> => {
      const [payload] = await queryWorkflow(
        namespace,
        workflowId,
        runId,
        "__temporal_workflow_metadata",
        [],
        signal,
      );
      if (!payload) return null;
      const readable = decode(await decoded(namespace, payload));
      return readable.kind === "json" ? (JSON.parse(readable.text) as WorkflowMetadata) : null;
    },
  });
  return data ?? undefined;
}

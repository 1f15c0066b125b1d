import { queryOptions, useQuery } from "@tanstack/react-query";
import { get } from "./http";

/** What the operator says of the pages; servers without pages of their own say nothing. */
export interface ServerSettings {
  DisableWriteActions?: boolean;
  StartWorkflowDisabled?: boolean;
  WorkflowSignalDisabled?: boolean;
  WorkflowUpdateDisabled?: boolean;
  WorkflowCancelDisabled?: boolean;
  WorkflowTerminateDisabled?: boolean;
  WorkflowResetDisabled?: boolean;
  WorkflowPauseDisabled?: boolean;
  BatchActionsDisabled?: boolean;
  ActivityCommandsDisabled?: boolean;
}

/** What people do that an operator may forbid; `write` is all the rest. */
export type Action =
  | "start"
  | "signal"
  | "update"
  | "cancel"
  | "terminate"
  | "reset"
  | "pause"
  | "batch"
  | "activity"
  | "write";

const FLAGS: Record<Exclude<Action, "write">, keyof ServerSettings> = {
  start: "StartWorkflowDisabled",
  signal: "WorkflowSignalDisabled",
  update: "WorkflowUpdateDisabled",
  cancel: "WorkflowCancelDisabled",
  terminate: "WorkflowTerminateDisabled",
  reset: "WorkflowResetDisabled",
  pause: "WorkflowPauseDisabled",
  batch: "BatchActionsDisabled",
  activity: "ActivityCommandsDisabled",
};

/** Why an action cannot be done here, if it cannot. */
export function forbidden(settings: ServerSettings, action: Action): string | undefined {
  if (settings.DisableWriteActions) return "The operator allows only to read here.";
  if (action !== "write" && settings[FLAGS[action]]) {
    return "The operator has turned this off here.";
  }
  return undefined;
}

export const serverSettingsQuery = queryOptions({
  queryKey: ["server-settings"],
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
  queryFn: ({ signal }) => get<ServerSettings>("settings", { signal }),
});

/** Tells why actions cannot be done here. The server refuses them, too. */
export function useForbidden(): (action: Action) => string | undefined {
  const { data } = useQuery(serverSettingsQuery);
  return (action) => (data ? forbidden(data, action) : undefined);
}

import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useMay } from "../../access/useMay";
import { useForbidden } from "../../api/serverSettings";
import type { DescribeWorkflow } from "../../api/types";
import { ActionButton } from "../../kit/ActionButton";
import { CommandsMenu } from "../../kit/CommandsMenu";
import { CopyButton } from "../../kit/CopyButton";
import { Icon } from "../../kit/icons";
import { useShortcuts } from "../../kit/keys";
import { Menu, MenuItem, MenuSeparator } from "../../kit/Menu";
import { Status } from "../../kit/Status";
import { ErrorState, Skeleton } from "../../kit/states";
import { stringFrom } from "../../payloads/decode";
import { MarkdownLine } from "../../payloads/Markdown";
import { type WorkflowSearch, type WorkflowTab, workflowRoute } from "../../router";
import { workflowCommands } from "../actions/commands";
import type { ActionName } from "../actions/Dialogs";
import { StuckPanel } from "../stuck/StuckPanel";
import { HistoryTab } from "./HistoryTab";
import { InputAndResult } from "./InputAndResult";
import { describeQuery, isOpen } from "./queries";
import { Summary } from "./Summary";
import { useHistory } from "./useHistory";
import { useWorkflowMetadata } from "./useWorkflowMetadata";
import "../../styles/workflow.css";

const ActionDialog = lazy(() =>
  import("../actions/Dialogs").then((module) => ({ default: module.ActionDialog })),
);
const PendingTab = lazy(() =>
  import("./PendingTab").then((module) => ({ default: module.PendingTab })),
);
const CallStackTab = lazy(() =>
  import("./CallStackTab").then((module) => ({ default: module.CallStackTab })),
);
const QueriesTab = lazy(() =>
  import("./QueriesTab").then((module) => ({ default: module.QueriesTab })),
);
const UpdatesTab = lazy(() =>
  import("./UpdatesTab").then((module) => ({ default: module.UpdatesTab })),
);
const RelationshipsTab = lazy(() =>
  import("./RelationshipsTab").then((module) => ({ default: module.RelationshipsTab })),
);
const WorkersTab = lazy(() =>
  import("./WorkersTab").then((module) => ({ default: module.WorkersTab })),
);
const MetadataTab = lazy(() =>
  import("./MetadataTab").then((module) => ({ default: module.MetadataTab })),
);

export function WorkflowPage() {
  const { namespace, workflowId, runId } = workflowRoute.useParams();
  const describe = useQuery(describeQuery(namespace, workflowId, runId));
  if (!describe.data) {
    return (
      <div className="page">
        {describe.error ? (
          <ErrorState error={describe.error} retry={() => describe.refetch()} />
        ) : (
          <Skeleton lines={12} />
        )}
      </div>
    );
  }
  return <Run key={runId} describe={describe.data} refetch={() => void describe.refetch()} />;
}

function Run({ describe, refetch }: { describe: DescribeWorkflow; refetch: () => void }) {
  const { namespace, workflowId, runId } = workflowRoute.useParams();
  const search = workflowRoute.useSearch();
  const navigate = useNavigate({ from: workflowRoute.fullPath });
  const { store, snapshot } = useHistory(namespace, workflowId, runId);
  const forbidden = useForbidden();
  const [action, setAction] = useState<ActionName | undefined>();
  const info = describe.workflowExecutionInfo;
  const open = isOpen(info.status);
  const metadata = useWorkflowMetadata(namespace, workflowId, runId, open, snapshot.count);
  const target = useMemo(() => ({ namespace, workflowId, runId }), [namespace, workflowId, runId]);

  // An event is news: what the run is may have changed with it.
  const again = useRef(refetch);
  again.current = refetch;
  useEffect(() => {
    if (snapshot.count > 0 && snapshot.complete) again.current();
  }, [snapshot.count, snapshot.complete]);

  const onSearch = useCallback(
    (change: Partial<WorkflowSearch>) =>
      void navigate({
        search: (before) => ({ ...before, ...change }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const onTab = useCallback(
    (tab: WorkflowTab) =>
      void navigate({
        search: (before) => ({ ...before, tab: tab === "timeline" ? undefined : tab }),
        resetScroll: false,
      }),
    [navigate],
  );

  const pending =
    (describe.pendingActivities?.length ?? 0) +
    (describe.pendingNexusOperations?.length ?? 0) +
    (describe.pendingChildren?.length ?? 0);
  const { tab = "timeline" } = search;
  const tabs: { id: WorkflowTab; label: string; count?: number }[] = [
    { id: "timeline", label: "Timeline" },
    { id: "history", label: "History" },
    { id: "pending", label: "Pending", count: pending },
    { id: "stack", label: "Call stack" },
    { id: "queries", label: "Queries" },
    { id: "updates", label: "Updates" },
    { id: "relationships", label: "Relationships" },
    { id: "workers", label: "Workers" },
    { id: "metadata", label: "Metadata" },
  ];
  const paused = info.status === "WORKFLOW_EXECUTION_STATUS_PAUSED";
  const may = useMay();
  const refused = {
    signal: may("SignalWorkflowExecution"),
    update: may("UpdateWorkflowExecution"),
    cancel: may("RequestCancelWorkflowExecution"),
    terminate: may("TerminateWorkflowExecution"),
    reset: may("ResetWorkflowExecution"),
    pause: may(paused ? "UnpauseWorkflowExecution" : "PauseWorkflowExecution"),
    start: may("StartWorkflowExecution"),
  };
  const startLike = (): void =>
    void navigate({
      to: "/namespaces/$namespace/start-workflow",
      params: { namespace },
      search: { like: workflowId, run: runId },
    });

  useShortcuts("This workflow", [
    ...tabs.map(({ id, label }, at) => ({ keys: String(at + 1), label, run: () => onTab(id) })),
    ...(open
      ? (
          [
            ["s", "Signal", "signal"],
            ["u", "Update", "update"],
            ["t", "Terminate", "terminate"],
            ["e", "Cancel", "cancel"],
          ] as const
        )
          .filter(([, , name]) => refused[name] === undefined)
          .map(([keys, label, name]) => ({ keys, label, run: () => setAction(name) }))
      : []),
    { keys: "r", label: "Refresh", run: refetch },
    ...(refused.start === undefined
      ? [{ keys: "n", label: "Start one like this", run: startLike }]
      : []),
  ]);

  const summary = stringFrom(describe.executionConfig?.userMetadata?.summary);
  const commands = workflowCommands(namespace, workflowId, runId);
  return (
    <div className="page workflow-page">
      <nav aria-label="Breadcrumbs" className="breadcrumbs">
        <Link to="/namespaces/$namespace/workflows" params={{ namespace }} search={{}}>
          Workflows
        </Link>
        <span aria-hidden="true">/</span>
        <Link
          to="/namespaces/$namespace/workflows"
          params={{ namespace }}
          search={{ query: `WorkflowType = "${info.type?.name ?? ""}"` }}
        >
          {info.type?.name}
        </Link>
      </nav>
      <header className="page-header">
        <Status status={info.status} />
        <h1 className="mono" data-testid="workflow-id">
          {workflowId}
        </h1>
        <CopyButton text={workflowId} label="Copy the workflow id" />
        <div className="page-actions">
          <CommandsMenu commands={tab === "history" ? commands.show : commands.describe} />
          {open && (
            <>
              <ActionButton
                refused={forbidden("signal") ?? refused.signal}
                onClick={() => setAction("signal")}
              >
                <Icon name="signal" /> Signal
              </ActionButton>
              <ActionButton
                refused={forbidden("update") ?? refused.update}
                onClick={() => setAction("update")}
              >
                Update
              </ActionButton>
            </>
          )}
          <Menu label="Actions" className="button primary">
            {open && (
              <>
                <MenuItem
                  disabled={forbidden("cancel") ?? refused.cancel}
                  onSelect={() => setAction("cancel")}
                >
                  Cancel…
                </MenuItem>
                <MenuItem
                  danger
                  disabled={forbidden("terminate") ?? refused.terminate}
                  onSelect={() => setAction("terminate")}
                >
                  Terminate…
                </MenuItem>
                <MenuItem
                  disabled={forbidden("pause") ?? refused.pause}
                  onSelect={() => setAction(paused ? "unpause" : "pause")}
                >
                  {paused ? "Unpause…" : "Pause…"}
                </MenuItem>
                <MenuSeparator />
              </>
            )}
            <MenuItem
              disabled={forbidden("reset") ?? refused.reset}
              onSelect={() => setAction("reset")}
            >
              Reset…
            </MenuItem>
            <MenuItem disabled={forbidden("start") ?? refused.start} onSelect={startLike}>
              Start one like this…
            </MenuItem>
          </Menu>
        </div>
      </header>
      {summary !== undefined && (
        <p className="workflow-summary">
          <MarkdownLine text={summary} />
        </p>
      )}
      <StuckPanel namespace={namespace} describe={describe} onTab={onTab} />
      <Summary namespace={namespace} describe={describe} store={store} snapshot={snapshot} />
      <InputAndResult namespace={namespace} store={store} snapshot={snapshot} open={open} />
      <nav className="tabs" aria-label="Parts of the workflow">
        {tabs.map(({ id, label, count }) => (
          <Link
            key={id}
            from={workflowRoute.fullPath}
            search={(before) => ({ ...before, tab: id === "timeline" ? undefined : id })}
            resetScroll={false}
            activeOptions={{ exact: true, explicitUndefined: true }}
            activeProps={{}}
            className="tab"
            aria-current={tab === id ? "page" : undefined}
          >
            {label}
            {count !== undefined && count > 0 && <span className="tab-count">{count}</span>}
          </Link>
        ))}
      </nav>
      <Suspense fallback={<Skeleton lines={6} />}>
        {tab === "timeline" || tab === "history" ? (
          <HistoryTab
            namespace={namespace}
            name={`${workflowId}-${runId}`}
            store={store}
            snapshot={snapshot}
            form={tab === "timeline" ? "timeline" : "list"}
            search={search}
            onSearch={onSearch}
          />
        ) : tab === "pending" ? (
          <PendingTab target={target} describe={describe} />
        ) : tab === "stack" ? (
          <CallStackTab target={target} open={open} />
        ) : tab === "queries" ? (
          <QueriesTab target={target} metadata={metadata} />
        ) : tab === "updates" ? (
          <UpdatesTab
            namespace={namespace}
            store={store}
            snapshot={snapshot}
            onSend={open && refused.update === undefined ? () => setAction("update") : undefined}
          />
        ) : tab === "relationships" ? (
          <RelationshipsTab target={target} describe={describe} />
        ) : tab === "workers" ? (
          <WorkersTab namespace={namespace} taskQueue={info.taskQueue ?? ""} />
        ) : (
          <MetadataTab namespace={namespace} describe={describe} metadata={metadata} />
        )}
      </Suspense>
      {action !== undefined && (
        <Suspense>
          <ActionDialog
            action={action}
            target={target}
            signals={metadata?.definition?.signalDefinitions}
            updates={metadata?.definition?.updateDefinitions}
            store={store}
            onClose={() => setAction(undefined)}
          />
        </Suspense>
      )}
    </div>
  );
}

import { useState } from "react";
import { useMay } from "../../access/useMay";
import { useForbidden } from "../../api/serverSettings";
import type { WorkflowExecutionInfo } from "../../api/types";
import type { BatchOperation } from "../../batch-operations/api";
import { BatchDialog } from "../../batch-operations/BatchDialog";
import { ActionButton } from "../../kit/ActionButton";
import { formatCount } from "../../time/format";

/** What can be done with the selected workflows at once. */
export function BulkBar({
  namespace,
  query,
  selected,
  everything,
  total,
  pageSelected,
  onEverything,
  onClear,
}: {
  namespace: string;
  query: string;
  selected: WorkflowExecutionInfo[];
  everything: boolean;
  total: number | undefined;
  pageSelected: boolean;
  onEverything: (everything: boolean) => void;
  onClear: () => void;
}) {
  const [kind, setKind] = useState<BatchOperation["kind"] | undefined>();
  const forbidden = useForbidden();
  const may = useMay();
  const why = (one: BatchOperation["kind"]) =>
    forbidden("batch") ?? forbidden(one) ?? may("StartBatchOperation");
  const more = total !== undefined && total > selected.length;
  return (
    <section className="bulk-bar" aria-label="Selected workflows">
      <strong aria-live="polite">
        {everything
          ? `All ${formatCount(total ?? 0)} that fit`
          : `${formatCount(selected.length)} selected`}
      </strong>
      {pageSelected && more && !everything && query !== "" && (
        <button type="button" className="link-button" onClick={() => onEverything(true)}>
          Select all {formatCount(total)} that fit the filter
        </button>
      )}
      {pageSelected && more && query === "" && (
        <span className="faint">Set a filter to select more than this page.</span>
      )}
      <button type="button" className="link-button" onClick={onClear}>
        Clear
      </button>
      <span className="spacer" />
      {(["signal", "cancel", "reset", "terminate"] as const).map((one) => (
        <ActionButton
          key={one}
          refused={why(one)}
          className={one === "terminate" ? "button danger" : "button"}
          onClick={() => setKind(one)}
        >
          {one.charAt(0).toUpperCase() + one.slice(1)}…
        </ActionButton>
      ))}
      {kind !== undefined && (
        <BatchDialog
          namespace={namespace}
          kind={kind}
          target={
            everything ? { query } : { executions: selected.map(({ execution }) => execution) }
          }
          onClose={() => setKind(undefined)}
          onStarted={onClear}
        />
      )}
    </section>
  );
}

import { Icon } from "../../kit/icons";
import { statusLook, WORKFLOW_STATUSES } from "../../kit/Status";
import { formatCount } from "../../time/format";
import { type Condition, statusesOf, withStatuses } from "./filter";
import type { StatusCounts } from "./queries";

/** How many workflows are in each status; a click shows those only. */
export function StatusChips({
  counts,
  conditions,
  onChange,
}: {
  counts: StatusCounts | undefined;
  /** Undefined: the filter is not made of conditions, and the chips only count. */
  conditions: Condition[] | undefined;
  onChange: (conditions: Condition[]) => void;
}) {
  const chosen = (conditions && statusesOf(conditions)) ?? [];
  const shown = WORKFLOW_STATUSES.filter(
    (status) =>
      status !== "Paused" || (counts?.byStatus[status] ?? 0) > 0 || chosen.includes(status),
  );
  return (
    <fieldset className="chips">
      <legend className="visually-hidden">Status</legend>
      {shown.map((status) => {
        const look = statusLook(status);
        const on = chosen.includes(status);
        return (
          <button
            key={status}
            type="button"
            className={`chip ${look.tone}`}
            aria-pressed={on}
            disabled={!conditions}
            onClick={() => {
              if (!conditions) return;
              const next = on ? chosen.filter((one) => one !== status) : [...chosen, status];
              onChange(withStatuses(conditions, next));
            }}
          >
            <Icon name={look.icon} size={11} />
            <span>{look.label}</span>
            <span className="chip-count">
              {counts ? formatCount(counts.byStatus[status] ?? 0) : "…"}
            </span>
          </button>
        );
      })}
    </fieldset>
  );
}

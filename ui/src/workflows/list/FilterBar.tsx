import { type RefObject, useEffect, useState } from "react";
import { Icon } from "../../kit/icons";
import { ConditionEditor } from "./ConditionEditor";
import { conditionText, filterFromWords, filterText, parseFilter } from "./filter";

/** The filter of a list: as conditions, or as the text that they stand for. */
export function FilterBar({
  query,
  raw,
  types,
  inputRef,
  onQuery,
  onRaw,
}: {
  namespace: string;
  query: string;
  raw: boolean;
  types: Record<string, string>;
  inputRef: RefObject<HTMLInputElement | null>;
  onQuery: (query: string) => void;
  onRaw: (raw: boolean) => void;
}) {
  const conditions = parseFilter(query);
  const asText = raw || !conditions;
  const [typed, setTyped] = useState(query);
  const [editing, setEditing] = useState<number | "new" | undefined>();
  useEffect(() => setTyped(asText ? query : ""), [query, asText]);
  return (
    <form
      className="filter-bar"
      aria-label="Filter"
      onSubmit={(event) => {
        event.preventDefault();
        if (asText) {
          onQuery(typed.trim());
          return;
        }
        const more = filterFromWords(typed);
        if (more === "") return;
        setTyped("");
        onQuery(query === "" ? more : `${query} AND ${more}`);
      }}
    >
      <div className="filter-field">
        <Icon name="search" />
        {!asText &&
          conditions.map((condition, at) => (
            <span key={`${at} ${conditionText(condition, types)}`} className="condition">
              <button
                type="button"
                className="condition-text"
                onClick={() => setEditing(editing === at ? undefined : at)}
                aria-label={`Change the condition ${conditionText(condition, types)}`}
              >
                <b>{condition.field}</b> {condition.operator.toLowerCase().replace("_", " ")}{" "}
                {condition.values.join(", ")}
              </button>
              <button
                type="button"
                className="condition-remove"
                aria-label={`Remove the condition on ${condition.field}`}
                onClick={() =>
                  onQuery(
                    filterText(
                      conditions.filter((_, other) => other !== at),
                      types,
                    ),
                  )
                }
              >
                <Icon name="cross" size={10} />
              </button>
            </span>
          ))}
        <input
          ref={inputRef}
          className={asText ? "filter-input mono" : "filter-input"}
          aria-label={asText ? "Filter as text" : "Workflow id, or a condition"}
          placeholder={
            asText
              ? 'WorkflowType = "Order" AND StartTime > "2026-01-01T00:00:00Z"'
              : "Workflow id, or a condition"
          }
          value={typed}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setTyped(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") event.currentTarget.blur();
            if (event.key === "Backspace" && typed === "" && !asText && conditions.length > 0) {
              onQuery(filterText(conditions.slice(0, -1), types));
            }
          }}
        />
        {query !== "" && (
          <button
            type="button"
            className="icon-button"
            aria-label="Remove the filter"
            onClick={() => onQuery("")}
          >
            <Icon name="cross" />
          </button>
        )}
      </div>
      {!asText && (
        <button
          type="button"
          className="button"
          aria-expanded={editing === "new"}
          onClick={() => setEditing(editing === "new" ? undefined : "new")}
        >
          <Icon name="plus" /> Condition
        </button>
      )}
      <button
        type="button"
        className="button"
        aria-pressed={asText}
        disabled={raw ? false : !conditions}
        title={
          conditions ? "Switch between conditions and text" : "This filter is no list of conditions"
        }
        onClick={() => onRaw(!raw)}
      >
        {asText ? "Conditions" : "Text"}
      </button>
      {editing !== undefined && !asText && (
        <ConditionEditor
          key={String(editing)}
          types={types}
          initial={editing === "new" ? undefined : conditions[editing]}
          onClose={() => setEditing(undefined)}
          onSave={(condition) => {
            const next =
              editing === "new"
                ? [...conditions, condition]
                : conditions.map((one, at) => (at === editing ? condition : one));
            setEditing(undefined);
            onQuery(filterText(next, types));
          }}
        />
      )}
    </form>
  );
}

import { useId, useState } from "react";
import { WORKFLOW_STATUSES } from "../../kit/Status";
import { type Condition, type Operator, operatorsOf } from "./filter";

const FIRST = [
  "WorkflowType",
  "WorkflowId",
  "ExecutionStatus",
  "StartTime",
  "CloseTime",
  "TaskQueue",
];
const HOUR_MS = 3_600_000;
const AGO = [
  { label: "1 hour ago", ms: HOUR_MS },
  { label: "1 day ago", ms: 24 * HOUR_MS },
  { label: "7 days ago", ms: 7 * 24 * HOUR_MS },
];

/** Field, operator and values of one condition. It stands in the filter's form, and is none itself. */
export function ConditionEditor({
  types,
  initial,
  onSave,
  onClose,
}: {
  types: Record<string, string>;
  initial: Condition | undefined;
  onSave: (condition: Condition) => void;
  onClose: () => void;
}) {
  const id = useId();
  const [field, setField] = useState(initial?.field ?? "WorkflowType");
  const [operator, setOperator] = useState<Operator>(initial?.operator ?? "=");
  const [values, setValues] = useState(initial?.values ?? []);
  const type = types[field];
  const operators = operatorsOf(type);
  const chosen = operators.includes(operator) ? operator : (operators[0] ?? "=");
  const several = chosen === "IN" || chosen === "NOT IN";
  const count = chosen.endsWith("NULL") ? 0 : chosen === "BETWEEN" ? 2 : 1;
  const others = Object.keys(types).filter((name) => !FIRST.includes(name));
  const names = [...FIRST, ...others.sort()];
  const given = several
    ? values.filter((value) => value !== "")
    : Array.from({ length: count }, (_, at) => values[at] ?? "");
  const ready = count === 0 || (given.length > 0 && given.every((value) => value !== ""));
  const save = (): void => {
    if (ready) onSave({ field, operator: chosen, values: count === 0 ? [] : given });
  };
  return (
    <fieldset
      className="condition-editor"
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
        if (event.key === "Enter" && event.target instanceof HTMLInputElement) {
          event.preventDefault();
          save();
        }
      }}
    >
      <legend className="visually-hidden">Condition</legend>
      <label htmlFor={`${id}-field`}>Field</label>
      <select
        id={`${id}-field`}
        className="input"
        // biome-ignore lint/a11y/noAutofocus: it was just opened
        autoFocus
        value={field}
        onChange={(event) => {
          setField(event.target.value);
          setValues([]);
        }}
      >
        {(names.includes(field) ? names : [field, ...names]).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <label htmlFor={`${id}-operator`}>is</label>
      <select
        id={`${id}-operator`}
        className="input"
        value={chosen}
        onChange={(event) => setOperator(event.target.value as Operator)}
      >
        {operators.map((one) => (
          <option key={one} value={one}>
            {one.toLowerCase().replace("_", " ")}
          </option>
        ))}
      </select>
      {several ? (
        <input
          className="input grow"
          aria-label="Values, separated by commas"
          placeholder="values, separated by commas"
          value={values.join(",")}
          onChange={(event) =>
            setValues(event.target.value.split(",").map((one) => one.trimStart()))
          }
        />
      ) : (
        Array.from({ length: count }, (_, at) => (
          <ValueInput
            key={at}
            label={count === 2 ? (at === 0 ? "From" : "To") : "Value"}
            field={field}
            type={type}
            value={values[at] ?? ""}
            onChange={(value) =>
              setValues((before) => {
                const next = [...before];
                next[at] = value;
                return next;
              })
            }
          />
        ))
      )}
      <button type="button" className="button primary" disabled={!ready} onClick={save}>
        {initial ? "Change" : "Add"}
      </button>
      <button type="button" className="button" onClick={onClose}>
        Cancel
      </button>
    </fieldset>
  );
}

function ValueInput({
  label,
  field,
  type,
  value,
  onChange,
}: {
  label: string;
  field: string;
  type: string | undefined;
  value: string;
  onChange: (value: string) => void;
}) {
  if (field === "ExecutionStatus" || type === "INDEXED_VALUE_TYPE_BOOL") {
    const choices = field === "ExecutionStatus" ? WORKFLOW_STATUSES : ["true", "false"];
    return (
      <select
        className="input"
        aria-label={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        <option value="">choose…</option>
        {choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    );
  }
  if (type === "INDEXED_VALUE_TYPE_DATETIME") {
    return (
      <span className="time-value">
        <input
          className="input grow"
          aria-label={label}
          placeholder="2026-01-31T08:00:00Z"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
        <select
          className="input"
          aria-label={`${label}: a time before now`}
          value=""
          onChange={(event) =>
            onChange(new Date(Date.now() - Number(event.target.value)).toISOString())
          }
        >
          <option value="">ago…</option>
          {AGO.map(({ label: name, ms }) => (
            <option key={name} value={ms}>
              {name}
            </option>
          ))}
        </select>
      </span>
    );
  }
  return (
    <input
      className="input grow"
      aria-label={label}
      placeholder="value"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

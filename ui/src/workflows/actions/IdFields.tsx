import { ChoiceField, type Choices } from "../../kit/ChoiceField";
import { TextField } from "../../kit/TextField";
import { newId } from "./api";

/** What is started under an id, as the API's policies are called. */
type Kind = "WORKFLOW" | "ACTIVITY" | "NEXUS_OPERATION";

const AS_THE_SERVER: Choices[number] = ["", "As the server does"];

const reuses = (kind: Kind): Choices => [
  AS_THE_SERVER,
  [`${kind}_ID_REUSE_POLICY_ALLOW_DUPLICATE`, "Always"],
  [`${kind}_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY`, "If the one before failed"],
  [`${kind}_ID_REUSE_POLICY_REJECT_DUPLICATE`, "Never"],
];

/** Only a workflow can be made to give way. */
const TERMINATE: Choices[number] = [
  "WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING",
  "Terminate the open one",
];

const conflicts = (kind: Kind): Choices => [
  AS_THE_SERVER,
  [`${kind}_ID_CONFLICT_POLICY_FAIL`, "Refuse"],
  [`${kind}_ID_CONFLICT_POLICY_USE_EXISTING`, "Use the open one"],
  ...(kind === "WORKFLOW" ? [TERMINATE] : []),
];

/** An id: written, or drawn. */
export function IdField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <div className="field-row">
      <TextField label={label} required value={value} onChange={onChange} />
      <button type="button" className="button" onClick={() => onChange(newId())}>
        Random
      </button>
    </div>
  );
}

/** What becomes of a start whose id was used before, or is in use. */
export function IdPolicyFields({
  kind,
  reuse,
  conflict,
  onReuse,
  onConflict,
}: {
  kind: Kind;
  reuse: string;
  conflict: string;
  onReuse: (policy: string) => void;
  onConflict: (policy: string) => void;
}) {
  return (
    <div className="field-row">
      <ChoiceField
        label="The id was used before"
        value={reuse}
        choices={reuses(kind)}
        onChange={onReuse}
      />
      <ChoiceField
        label="The id is in use"
        value={conflict}
        choices={conflicts(kind)}
        onChange={onConflict}
      />
    </div>
  );
}

import type { ReactNode } from "react";
import { Field } from "./Field";

/** What can be chosen: values, each with its name. */
export type Choices<T extends string = string> = readonly (readonly [value: T, name: string])[];

/** A labelled choice of one. */
export function ChoiceField<T extends string>({
  label,
  hint,
  value,
  choices,
  onChange,
}: {
  label: string;
  hint?: ReactNode;
  value: T;
  choices: Choices<T>;
  onChange: (value: T) => void;
}) {
  return (
    <Field label={label} hint={hint}>
      {(props) => (
        <select
          {...props}
          className="input"
          value={value}
          onChange={(event) => onChange(event.target.value as T)}
        >
          {choices.map(([one, name]) => (
            <option key={one} value={one}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

import type { InputHTMLAttributes, ReactNode } from "react";
import { Field } from "./Field";

type Input = Omit<InputHTMLAttributes<HTMLInputElement>, "id" | "value" | "onChange">;

/** A labelled line of text. */
export function TextField({
  label,
  hint,
  error,
  value,
  onChange,
  ...input
}: Input & {
  label: string;
  hint?: ReactNode;
  /** What is wrong with the text. */
  error?: string | undefined;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(props) => (
        <input
          className="input"
          spellCheck={false}
          {...input}
          {...props}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

import { type ReactNode, useId } from "react";

/** A labelled control; `children` gets the id that ties both. */
export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  children: (props: {
    id: string;
    "aria-describedby"?: string;
    "aria-invalid"?: true;
  }) => ReactNode;
}) {
  const id = useId();
  const described = hint !== undefined || error !== undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        ...(described ? { "aria-describedby": `${id}-hint` } : {}),
        ...(error === undefined ? {} : { "aria-invalid": true as const }),
      })}
      {described && (
        <p id={`${id}-hint`} className={error === undefined ? "hint" : "hint bad"}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

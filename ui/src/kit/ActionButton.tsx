import { type ReactNode, useId } from "react";

/**
 * A button that does something on the server. Where the user may not, it stays in its place and
 * says why: it can be reached with the keyboard, and does nothing.
 */
export function ActionButton({
  refused,
  className = "button",
  disabled = false,
  onClick,
  children,
}: {
  /** Why it cannot be pressed. */
  refused: string | undefined;
  className?: string;
  disabled?: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  const id = useId();
  if (refused === undefined) {
    return (
      <button type="button" className={className} disabled={disabled} onClick={onClick}>
        {children}
      </button>
    );
  }
  return (
    <button
      type="button"
      className={className}
      aria-disabled="true"
      aria-describedby={id}
      title={refused}
    >
      {children}
      <span id={id} hidden>
        {refused}
      </span>
    </button>
  );
}

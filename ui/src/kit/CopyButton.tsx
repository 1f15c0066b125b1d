import { useState } from "react";
import { copy } from "./clipboard";
import { Icon } from "./icons";
import { toast } from "./toasts";

const SHOWN_MS = 1500;

export function CopyButton({
  text,
  label = "Copy",
  overlay = false,
}: {
  text: string;
  label?: string;
  /** In the corner of what it copies. */
  overlay?: boolean;
}) {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      className={overlay ? "icon-button copy-overlay" : "icon-button"}
      aria-label={label}
      title={label}
      onClick={(event) => {
        event.stopPropagation();
        copy(text).then(
          () => {
            setDone(true);
            setTimeout(() => setDone(false), SHOWN_MS);
          },
          () => toast({ kind: "bad", title: "The browser did not let this page copy" }),
        );
      }}
    >
      <Icon name={done ? "check" : "copy"} />
      <span className="visually-hidden" role="status">
        {done ? "Copied" : ""}
      </span>
    </button>
  );
}

/** An identifier with its button. */
export function Copyable({ text, label }: { text: string; label: string }) {
  return (
    <span className="copyable">
      <span className="mono">{text}</span>
      <CopyButton text={text} label={label} />
    </span>
  );
}

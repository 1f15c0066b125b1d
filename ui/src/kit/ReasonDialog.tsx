import { useState } from "react";
import type { Action } from "../api/serverSettings";
import { FormDialog } from "./FormDialog";
import { TextField } from "./TextField";
import { toast } from "./toasts";

/** Ends something, or asks it to end, and says why. */
export function ReasonDialog({
  title,
  text,
  submit,
  done,
  danger = false,
  action,
  cli,
  run,
  onClose,
}: {
  title: string;
  /** What it means. */
  text: string;
  submit: string;
  /** What is said once it is done. */
  done: string;
  danger?: boolean;
  action?: Action;
  cli: (reason: string) => string;
  run: (reason: string) => Promise<unknown>;
  onClose: () => void;
}) {
  const [reason, setReason] = useState("");
  return (
    <FormDialog
      title={title}
      submit={submit}
      danger={danger}
      {...(action ? { action } : {})}
      cli={cli(reason)}
      run={() => run(reason)}
      done={() => toast({ kind: "good", title: done })}
      onClose={onClose}
    >
      <p>{text}</p>
      <TextField label="Reason" value={reason} onChange={setReason} />
    </FormDialog>
  );
}

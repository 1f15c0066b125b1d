import { Dialog } from "./Dialog";
import { Submission, type SubmissionProps } from "./Submission";

/** A dialog with a form. */
export function FormDialog<T>({
  title,
  onClose,
  done,
  wide = false,
  ...form
}: Omit<SubmissionProps<T>, "done"> & {
  title: string;
  onClose: () => void;
  /** Called with the answer; the dialog is closed then, unless this returns true. */
  done: (answer: T) => unknown;
  wide?: boolean;
}) {
  return (
    <Dialog title={title} onClose={onClose} wide={wide}>
      <Submission
        {...form}
        className={{ body: "dialog-body", foot: "dialog-footer" }}
        done={(answer) => {
          if (done(answer) !== true) onClose();
        }}
        onClose={onClose}
      />
    </Dialog>
  );
}

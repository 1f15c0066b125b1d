import { lazy, Suspense } from "react";
import type { DialogProps } from "./DialogParts";

const OpenDialog = lazy(() =>
  import("./DialogParts").then((parts) => ({ default: parts.OpenDialog })),
);

/** A dialog over the page: it holds the focus, and gives it back when it is closed. */
export function Dialog(props: DialogProps) {
  return (
    <Suspense>
      <OpenDialog {...props} />
    </Suspense>
  );
}

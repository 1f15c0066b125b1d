import type { ReactNode } from "react";
import { focusableWhenScrolling } from "./scrolling";

/** Text as it is, in a frame that scrolls. */
export function Code({ children, className = "" }: { children: ReactNode; className?: string }) {
  return (
    <pre ref={focusableWhenScrolling} className={`code ${className}`}>
      {children}
    </pre>
  );
}

import * as Ariakit from "@ariakit/react";
import type { ReactNode } from "react";
import { Icon } from "./icons";

export interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
}

export function OpenDialog({ title, onClose, children, wide = false }: DialogProps) {
  return (
    <Ariakit.Dialog
      open
      onClose={onClose}
      backdrop={<div className="backdrop" />}
      className={wide ? "dialog wide" : "dialog"}
    >
      <header className="dialog-header">
        <Ariakit.DialogHeading className="dialog-title">{title}</Ariakit.DialogHeading>
        <Ariakit.DialogDismiss className="icon-button" aria-label="Close">
          <Icon name="cross" />
        </Ariakit.DialogDismiss>
      </header>
      {children}
    </Ariakit.Dialog>
  );
}

import * as Ariakit from "@ariakit/react";
import type { ReactNode } from "react";
import { Icon } from "./icons";

export interface MenuProps {
  label: string;
  icon?: ReactNode;
  children: ReactNode;
  className?: string;
  iconOnly?: boolean;
}

/** A menu that is open from the start: its button was pressed before it was loaded. */
export function OpenMenu({ label, icon, children, className, iconOnly = false }: MenuProps) {
  return (
    <Ariakit.MenuProvider placement="bottom-end" defaultOpen>
      <Ariakit.MenuButton className={className} aria-label={iconOnly ? label : undefined}>
        {icon}
        {!iconOnly && <span>{label}</span>}
        {!iconOnly && <Icon name="chevron" size={12} />}
      </Ariakit.MenuButton>
      <Ariakit.Menu gutter={4} fixed autoFocusOnShow className="menu">
        {children}
      </Ariakit.Menu>
    </Ariakit.MenuProvider>
  );
}

export function MenuItem({
  onSelect,
  children,
  danger = false,
  disabled,
}: {
  onSelect: () => void;
  children: ReactNode;
  danger?: boolean;
  /** Why it cannot be chosen. */
  disabled?: string | undefined;
}) {
  return (
    <Ariakit.MenuItem
      className={danger ? "menu-item danger" : "menu-item"}
      onClick={onSelect}
      disabled={disabled !== undefined}
      accessibleWhenDisabled
      title={disabled}
    >
      {children}
    </Ariakit.MenuItem>
  );
}

export const MenuSeparator = () => <Ariakit.MenuSeparator className="menu-separator" />;

/** An entry that is on or off. */
export function MenuCheck({
  checked,
  onChange,
  children,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  children: ReactNode;
}) {
  return (
    <Ariakit.MenuItemCheckbox
      className="menu-item"
      name="columns"
      checked={checked}
      onChange={(event) => onChange(event.target.checked)}
      hideOnClick={false}
    >
      <Ariakit.MenuItemCheck className="menu-check" checked={checked} />
      {children}
    </Ariakit.MenuItemCheckbox>
  );
}

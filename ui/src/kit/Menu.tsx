import { lazy, Suspense, useState } from "react";
import { Icon } from "./icons";
import type { MenuProps } from "./MenuParts";

// The first page needs no open menu: what makes one comes when a hand or the focus is near.
const load = () => import("./MenuParts");
const OpenMenu = lazy(() => load().then((parts) => ({ default: parts.OpenMenu })));
export const MenuItem = lazy(() => load().then((parts) => ({ default: parts.MenuItem })));
export const MenuCheck = lazy(() => load().then((parts) => ({ default: parts.MenuCheck })));
export const MenuSeparator = lazy(() => load().then((parts) => ({ default: parts.MenuSeparator })));

/** A button with a menu of commands. */
export function Menu(props: MenuProps) {
  const { label, icon, className = "button", iconOnly = false } = props;
  const [pressed, setPressed] = useState(false);
  const button = (
    <button
      type="button"
      className={className}
      aria-haspopup="menu"
      aria-expanded={false}
      aria-label={iconOnly ? label : undefined}
      onPointerEnter={() => void load()}
      onFocus={() => void load()}
      onClick={() => setPressed(true)}
      onKeyDown={(event) => {
        if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
        event.preventDefault();
        setPressed(true);
      }}
    >
      {icon}
      {!iconOnly && <span>{label}</span>}
      {!iconOnly && <Icon name="chevron" size={12} />}
    </button>
  );
  if (!pressed) return button;
  return (
    <Suspense fallback={button}>
      <OpenMenu {...props} className={className} />
    </Suspense>
  );
}

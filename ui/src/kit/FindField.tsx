import { useRef } from "react";
import { Icon } from "./icons";
import { useShortcuts } from "./keys";
import "../styles/list.css";

/** Narrows what a view shows while one types; `/` leads to it. */
export function FindField({
  view,
  label,
  placeholder,
  value,
  onValue,
}: {
  view: string;
  label: string;
  placeholder: string;
  value: string;
  onValue: (value: string) => void;
}) {
  const field = useRef<HTMLInputElement>(null);
  useShortcuts(view, [{ keys: "/", label, run: () => field.current?.focus() }]);
  return (
    <div className="filter-field">
      <Icon name="search" />
      <input
        ref={field}
        className="filter-input"
        aria-label={label}
        placeholder={placeholder}
        value={value}
        onChange={(event) => onValue(event.target.value)}
      />
    </div>
  );
}

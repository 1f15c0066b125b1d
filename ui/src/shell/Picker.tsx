import * as Ariakit from "@ariakit/react";
import { useEffect, useMemo, useState } from "react";
import { Icon, type IconName } from "../kit/icons";
import type { Early } from "./early";

export interface PickerItem {
  id: string;
  label: string;
  hint?: string | undefined;
  keys?: string | undefined;
  icon?: IconName;
  run: () => void;
}

const SHOWN_MAX = 60;

/** How well a text fits what was typed: lower is better; undefined: not at all. */
export function rank(label: string, typed: string): number | undefined {
  const text = label.toLowerCase();
  const sought = typed.trim().toLowerCase();
  if (sought === "") return 0;
  const at = text.indexOf(sought);
  if (at !== -1) return at === 0 ? 0 : 1 + at / 1000;
  // All letters in their order, as `bop` in `batch operations`.
  let from = 0;
  for (const letter of sought) {
    const next = text.indexOf(letter, from);
    if (next === -1) return undefined;
    from = next + 1;
  }
  return 10 + from / 1000;
}

/** A list that typing narrows down; Enter takes the chosen entry. */
export function Picker({
  title,
  placeholder,
  items,
  more,
  loading = false,
  begin,
  onClose,
}: {
  title: string;
  placeholder: string;
  items: PickerItem[];
  /** Entries made of what was typed. */
  more?: (typed: string) => PickerItem[];
  loading?: boolean;
  /** What was typed before the field had the keys; asked for once it has. */
  begin?: () => Early;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState("");
  const [entered, setEntered] = useState(false);
  const shown = useMemo(() => {
    const ranked = items.flatMap((item) => {
      const found = rank(`${item.label} ${item.hint ?? ""}`, typed);
      return found === undefined ? [] : [{ item, found }];
    });
    if (typed.trim() !== "") ranked.sort((a, b) => a.found - b.found);
    return [...(more?.(typed.trim()) ?? []), ...ranked.map(({ item }) => item)].slice(0, SHOWN_MAX);
  }, [items, more, typed]);
  const [best] = shown;
  useEffect(() => {
    if (!entered || best === undefined) return;
    onClose();
    best.run();
  }, [entered, best, onClose]);
  const takeOver = (): void => {
    const early = begin?.();
    if (early === undefined) return;
    if (early.typed !== "") setTyped(early.typed);
    if (early.entered) setEntered(true);
  };
  return (
    <Ariakit.Dialog
      open
      onClose={onClose}
      aria-label={title}
      backdrop={<div className="backdrop" />}
      className="picker"
    >
      <Ariakit.ComboboxProvider
        open
        value={typed}
        setValue={setTyped}
        includesBaseElement
        focusLoop
      >
        <div className="picker-input">
          <Icon name="search" />
          <Ariakit.Combobox
            autoSelect="always"
            placeholder={placeholder}
            aria-label={title}
            autoFocus
            onFocus={takeOver}
          />
          <kbd>Esc</kbd>
        </div>
        <Ariakit.ComboboxList className="picker-list" alwaysVisible>
          {shown.map((item) => (
            <Ariakit.ComboboxItem
              key={item.id}
              className="picker-item"
              focusOnHover
              setValueOnClick={false}
              hideOnClick={false}
              onClick={() => {
                onClose();
                item.run();
              }}
            >
              {item.icon && <Icon name={item.icon} />}
              <span className="picker-label">{item.label}</span>
              {item.hint !== undefined && <span className="picker-hint">{item.hint}</span>}
              {item.keys !== undefined && <kbd>{item.keys}</kbd>}
            </Ariakit.ComboboxItem>
          ))}
        </Ariakit.ComboboxList>
        {shown.length === 0 && (
          <p className="picker-empty" role="status">
            {loading ? "Loading…" : "Nothing fits."}
          </p>
        )}
      </Ariakit.ComboboxProvider>
    </Ariakit.Dialog>
  );
}

import { useState } from "react";
import { Icon } from "./icons";
import "../styles/list.css";

/** A list filter as text, in force once Enter is pressed. */
export function TextFilter({
  query,
  placeholder,
  onQuery,
}: {
  query: string;
  placeholder: string;
  onQuery: (query: string | undefined) => void;
}) {
  const [typed, setTyped] = useState(query);
  return (
    <form
      className="filter-bar"
      aria-label="Filter"
      onSubmit={(event) => {
        event.preventDefault();
        onQuery(typed.trim() || undefined);
      }}
    >
      <div className="filter-field">
        <Icon name="search" />
        <input
          className="filter-input mono"
          aria-label="Filter as text"
          placeholder={placeholder}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </div>
    </form>
  );
}

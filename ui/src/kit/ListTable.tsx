import type { ReactNode } from "react";
import { focusableWhenScrolling } from "./scrolling";

/** What a list shows of each of its rows. */
export interface Column<T> {
  label: string;
  cell: (row: T) => ReactNode;
}

/** A list that is no longer than its page. */
export function ListTable<T>({
  caption,
  rows,
  keyOf,
  columns,
}: {
  caption: string;
  rows: readonly T[];
  keyOf: (row: T) => string;
  columns: readonly Column<T>[];
}) {
  return (
    <div ref={focusableWhenScrolling} className="table-frame">
      <table className="table">
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ label }) => (
              <th key={label} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ label, cell }) => (
                <td key={label}>{cell(row)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

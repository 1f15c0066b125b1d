import { Link } from "@tanstack/react-router";
import { EmptyState } from "../kit/states";

export function NotFound() {
  return (
    <div className="page">
      <EmptyState icon="search" title="There is no such page">
        <Link to="/">Go to the workflows</Link>
      </EmptyState>
    </div>
  );
}

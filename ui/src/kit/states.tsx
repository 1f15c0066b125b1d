import { Component, type ErrorInfo, type ReactNode } from "react";
import { ApiError } from "../api/http";
import { Icon, type IconName } from "./icons";

/** What a place holds while its content is on the way. */
export function Skeleton({ lines = 6 }: { lines?: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, at) => (
        <div key={at} className={`skeleton-line width-${at % 4}`} />
      ))}
    </div>
  );
}

/** What a place holds when there is nothing. */
export function EmptyState({
  icon,
  title,
  children,
  heading = false,
}: {
  icon: IconName;
  title: string;
  children?: ReactNode;
  /** It is all that the page has. */
  heading?: boolean;
}) {
  return (
    <div className="state">
      <Icon name={icon} size={28} />
      {heading ? <h1 className="state-title">{title}</h1> : <p className="state-title">{title}</p>}
      {children !== undefined && <div className="state-text">{children}</div>}
    </div>
  );
}

/** What people can do about a refusal. */
function advice(error: ApiError): string | undefined {
  switch (error.code) {
    case "PERMISSION_DENIED":
      return "Your role does not allow this. Ask an administrator of the namespace.";
    case "UNAUTHENTICATED":
      return "The server does not know who you are. Sign in again.";
    case "UNIMPLEMENTED":
      return "This server does not offer it.";
    case "UNAVAILABLE":
      return error.status === 0 ? "Is it running? The page tries again by itself." : undefined;
    default:
      return undefined;
  }
}

/** An error, with its status as the server gave it. */
export function ErrorState({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const known = error instanceof ApiError ? error : undefined;
  return (
    <div className="state bad" role="alert">
      <Icon name="warning" size={28} />
      <p className="state-title">
        {known ? known.message : String((error as Error)?.message ?? error)}
      </p>
      {known && (
        <p className="state-text">
          <code>{known.code}</code>
          {known.status > 0 && <span className="faint"> · HTTP {known.status}</span>}
          {known.details.map((detail) => (
            <span key={detail} className="faint">
              {" "}
              · {detail}
            </span>
          ))}
        </p>
      )}
      {known && advice(known) !== undefined && <p className="state-text">{advice(known)}</p>}
      {retry && (
        <button type="button" className="button" onClick={retry}>
          <Icon name="refresh" /> Try again
        </button>
      )}
    </div>
  );
}

interface Query<T> {
  data: T | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

/** The content of a request: a skeleton before it, its error instead, and the content itself. */
export function Loaded<T>({
  query,
  children,
  lines = 8,
}: {
  query: Query<T>;
  children: (data: T) => ReactNode;
  lines?: number;
}) {
  if (query.data !== undefined) {
    return (
      <>
        {query.error != null && (
          <p className="note bad" role="status">
            This is what the server said before:{" "}
            {query.error instanceof ApiError ? query.error.message : String(query.error)}
          </p>
        )}
        {children(query.data)}
      </>
    );
  }
  if (query.error != null) return <ErrorState error={query.error} retry={() => query.refetch()} />;
  return <Skeleton lines={lines} />;
}

/** Keeps a defect of one view within it. */
export class ErrorBoundary extends Component<
  { children: ReactNode; resetKey: string },
  { error: Error | null }
> {
  override state: { error: Error | null } = { error: null };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  override componentDidUpdate(before: { resetKey: string }) {
    if (before.resetKey !== this.props.resetKey && this.state.error) this.setState({ error: null });
  }
  override componentDidCatch(error: Error, info: ErrorInfo) {
    console.error(error, info.componentStack);
  }
  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className="page">
        <ErrorState
          error={new Error(`This view has failed: ${error.message}`)}
          retry={() => this.setState({ error: null })}
        />
      </div>
    );
  }
}

/** Requests to the server, and its errors as they are. */

import { noteRefusal, sessionStore } from "../session/session";

/** The names of gRPC's status codes, by number. */
const CODES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

export type CodeName = (typeof CODES)[number];

/** An answer that is no success: the gRPC status of its body, or what the HTTP status says. */
export class ApiError extends Error {
  override name = "ApiError";
  constructor(
    message: string,
    /** The HTTP status; 0 if no answer came. */
    readonly status: number,
    readonly code: CodeName,
    /** The types of the details, without the prefix of their address. */
    readonly details: string[] = [],
  ) {
    super(message);
  }

  /** The request may work when it is sent again. */
  get transient(): boolean {
    return this.code === "UNAVAILABLE" || this.code === "RESOURCE_EXHAUSTED" || this.status === 0;
  }
}

/** Reads an answer that is no success. */
export function errorFrom(status: number, statusText: string, body: string): ApiError {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null && "code" in parsed) {
      const { code, message, details } = parsed as {
        code: unknown;
        message?: unknown;
        details?: unknown;
      };
      const types = Array.isArray(details)
        ? details.map((one: unknown) => {
            const type = (one as Record<string, unknown> | null)?.["@type"];
            return typeof type === "string" ? type.slice(type.lastIndexOf("/") + 1) : "";
          })
        : [];
      return new ApiError(
        typeof message === "string" && message !== "" ? message : statusText,
        status,
        CODES[Number(code)] ?? "UNKNOWN",
        types.filter((type) => type !== ""),
      );
    }
  } catch {
    // Not JSON: something between here and the server has answered.
  }
  const code: CodeName =
    status === 401
      ? "UNAUTHENTICATED"
      : status === 403
        ? "PERMISSION_DENIED"
        : status === 404
          ? "NOT_FOUND"
          : status === 501
            ? "UNIMPLEMENTED"
            : status >= 500
              ? "UNAVAILABLE"
              : "UNKNOWN";
  return new ApiError(statusText || `the server answered ${status}`, status, code);
}

export type QueryValue = string | number | boolean | undefined;

export interface Request {
  query?: Record<string, QueryValue> | undefined;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** A call for pages only, whose path is below `/ui-api/`. */
  forPages?: boolean;
  headers?: Record<string, string>;
}

/** What a request that changes something must bring back: of the session, or of a proxy's cookie. */
function csrfToken(): string | undefined {
  const { session } = sessionStore.get();
  if (session?.csrfToken !== undefined) return session.csrfToken;
  const found = document.cookie.split("; ").find((cookie) => cookie.startsWith("_csrf="));
  return found?.slice("_csrf=".length);
}

/** The address of something the server serves, below the path of the pages. */
export function address(path: string, query: Record<string, QueryValue> = {}): string {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** Sends a request, unless it is known that nobody is signed in any more. */
async function send(
  method: string,
  target: string,
  { body, signal, headers: further }: Request,
): Promise<Response> {
  if (sessionStore.get().ended) {
    throw new ApiError("your session has ended", 401, "UNAUTHENTICATED");
  }
  const headers: Record<string, string> = { accept: "application/json", ...further };
  if (body !== undefined) headers["content-type"] = "application/json";
  const csrf = method === "GET" ? undefined : csrfToken();
  if (csrf !== undefined) headers["x-csrf-token"] = csrf;
  try {
    const response = await fetch(target, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
      credentials: "same-origin",
      cache: "no-store",
    });
    if (response.status === 401 || response.status === 403) noteRefusal(response.status);
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("the server cannot be reached", 0, "UNAVAILABLE");
  }
}

/** Calls a method of the API; `path` is below `/api/v1/`. Payloads come and go in their full form. */
export async function call<T>(
  method: "GET" | "POST" | "DELETE",
  path: string,
  request: Request = {},
): Promise<T> {
  const query = { noPayloadShorthand: "true", ...request.query };
  const prefix = request.forPages ? "ui-api" : "api/v1";
  const response = await send(method, address(`${prefix}/${path}`, query), request);
  const text = await response.text();
  if (!response.ok) throw errorFrom(response.status, response.statusText, text);
  return (text === "" ? {} : JSON.parse(text)) as T;
}

/** Asks what only Longtide's own server knows; null from others. */
export async function getOwn<T>(path: string, request: Request = {}): Promise<T | null> {
  const { session } = sessionStore.get();
  if (session === null) return null;
  const response = await send("GET", address(path, request.query), request);
  const text = await response.text();
  if (response.status === 404 || response.status === 501) return null;
  if (!response.ok) throw errorFrom(response.status, response.statusText, text);
  const json = response.headers.get("content-type")?.includes("json") === true;
  return json ? (JSON.parse(text) as T) : null;
}

export const get = <T>(path: string, request?: Request): Promise<T> =>
  call<T>("GET", path, request);
export const post = <T>(path: string, body: unknown, request?: Request): Promise<T> =>
  call<T>("POST", path, { ...request, body });

/** A path whose parts may hold any character. */
export function path(...parts: string[]): string {
  return parts.map(encodeURIComponent).join("/");
}

/** A path within a namespace. */
export const within = (namespace: string, ...parts: string[]): string =>
  path("namespaces", namespace, ...parts);

/** Who the events say that did it. A server with identities records the true one beside it. */
export const IDENTITY = "web-ui";

import type { Payload, Payloads } from "../api/types";

/** What a payload says, once its base64 is gone. */
export type Decoded =
  /** JSON as the worker wrote it: numbers keep all of their digits. */
  | { kind: "json"; encoding: string; text: string; type?: string }
  | { kind: "text"; encoding: string; text: string }
  | { kind: "null"; encoding: string }
  | { kind: "binary"; encoding: string; bytes: Uint8Array; type?: string }
  /** Only a codec can read it. */
  | { kind: "encoded"; encoding: string; bytes: Uint8Array; keyId?: string };

export function bytesFrom(base64: string): Uint8Array {
  const standard = base64.replace(/-/g, "+").replace(/_/g, "/");
  let binary: string;
  try {
    binary = atob(standard);
  } catch {
    return new Uint8Array();
  }
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

const CHUNK = 0x8000;

export function base64From(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(binary);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The text of bytes, if they are one. */
export function textFrom(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** An entry of a payload's metadata. */
export function metadata(payload: Payload, key: string): string | undefined {
  const value = payload.metadata?.[key];
  return value === undefined ? undefined : textFrom(bytesFrom(value));
}

/** Encodings that say themselves what the bytes are. */
const PLAIN = new Set([
  "json/plain",
  "json/protobuf",
  "binary/null",
  "binary/plain",
  "binary/protobuf",
]);

/** Whether only a codec can read a payload. */
export function isEncoded(payload: Payload): boolean {
  const encoding = metadata(payload, "encoding");
  return encoding !== undefined && !PLAIN.has(encoding);
}

export function decode(payload: Payload): Decoded {
  const encoding = metadata(payload, "encoding") ?? "";
  const bytes = bytesFrom(payload.data ?? "");
  const type = metadata(payload, "messageType");
  const named = type === undefined ? {} : { type };
  if (encoding === "binary/null") return { kind: "null", encoding };
  if (encoding === "json/plain" || encoding === "json/protobuf") {
    const text = textFrom(bytes);
    return text === undefined
      ? { kind: "binary", encoding, bytes, ...named }
      : { kind: "json", encoding, text, ...named };
  }
  if (encoding === "binary/plain" || encoding === "binary/protobuf") {
    return { kind: "binary", encoding, bytes, ...named };
  }
  if (encoding === "") {
    const text = textFrom(bytes);
    return text === undefined
      ? { kind: "binary", encoding, bytes }
      : { kind: "text", encoding, text };
  }
  const keyId = metadata(payload, "encryption-key-id");
  return { kind: "encoded", encoding, bytes, ...(keyId === undefined ? {} : { keyId }) };
}

/** A payload in one line, for lists and titles. */
export function oneLine(payload: Payload): string {
  const decoded = decode(payload);
  switch (decoded.kind) {
    case "json":
    case "text":
      return decoded.text.replace(/\s+/g, " ");
    case "null":
      return "null";
    case "binary":
      return `${decoded.bytes.length} bytes`;
    case "encoded":
      return `encoded (${decoded.encoding})`;
  }
}

/** The text of a payload that holds a JSON string, as summaries and details do. */
export function stringFrom(payload: Payload | undefined): string | undefined {
  if (!payload) return undefined;
  const decoded = decode(payload);
  if (decoded.kind !== "json") return undefined;
  try {
    const value: unknown = JSON.parse(decoded.text);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The value of a search attribute, as people read it. */
export function searchAttributeText(payload: Payload): string {
  const decoded = decode(payload);
  if (decoded.kind !== "json") return oneLine(payload);
  try {
    const value: unknown = JSON.parse(decoded.text);
    if (typeof value === "string") return value;
    if (Array.isArray(value)) return value.join(", ");
  } catch {
    // Then as it stands.
  }
  return decoded.text;
}

/** A payload of a JSON text that someone wrote. */
export function jsonPayload(text: string, encoding = "json/plain"): Payload {
  return {
    metadata: { encoding: base64From(new TextEncoder().encode(encoding)) },
    data: base64From(new TextEncoder().encode(text)),
  };
}

/** Whether a value of a message is a payload or a list of them. */
export function payloadsIn(value: unknown): Payload[] | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { payloads } = value as Payloads;
  if (Array.isArray(payloads)) return payloads;
  return isPayload(value) ? [value] : undefined;
}

function isPayload(value: object): value is Payload {
  const { metadata: entries } = value as Payload;
  return (
    typeof entries === "object" &&
    entries !== null &&
    typeof entries.encoding === "string" &&
    Object.keys(value).every((key) => key === "metadata" || key === "data")
  );
}

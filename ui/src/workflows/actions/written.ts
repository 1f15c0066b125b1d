import type { Payload } from "../../api/types";
import { jsonPayload } from "../../payloads/decode";
import { parseDuration } from "../../time/format";

/** Why a text that may be left out is no duration. */
export function durationProblem(text: string): string | undefined {
  if (text.trim() === "" || parseDuration(text) !== undefined) return undefined;
  return `\`${text}\` is no duration, as 90s or 1h30m`;
}

/** A duration in proto JSON, if one was written. */
export const durationOf = (text: string): string | undefined =>
  text.trim() === "" ? undefined : parseDuration(text);

function objectIn(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error("it must be an object");
  }
  return value as Record<string, unknown>;
}

/** Why a text that may be left out is no object of JSON. */
export function objectProblem(text: string): string | undefined {
  if (text.trim() === "") return undefined;
  try {
    objectIn(text);
    return undefined;
  } catch (error) {
    return `no JSON object: ${(error as Error).message}`;
  }
}

/** An object whose values become payloads, if one was written. */
export function payloadMap(text: string): Record<string, Payload> | undefined {
  if (text.trim() === "") return undefined;
  const entries = Object.entries(objectIn(text));
  return Object.fromEntries(entries.map(([key, one]) => [key, jsonPayload(JSON.stringify(one))]));
}

/** A text as a payload, if one was written. */
export const textPayload = (text: string): Payload | undefined =>
  text === "" ? undefined : jsonPayload(JSON.stringify(text));

/** Whether nothing is wrong. */
export const noneOf = (...problems: (string | undefined)[]): boolean =>
  problems.every((problem) => problem === undefined);

/** Words of a command, for a flag whose value may be left out. */
export const flag = (name: string, value: string): string[] =>
  value.trim() === "" ? [] : [name, value.trim()];

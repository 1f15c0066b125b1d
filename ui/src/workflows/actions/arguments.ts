import type { Payload } from "../../api/types";
import { jsonPayload } from "../../payloads/decode";

/** An argument that somebody writes. */
export interface Argument {
  text: string;
  encoding: "json/plain" | "json/protobuf";
}

export const emptyArgument = (): Argument => ({ text: "", encoding: "json/plain" });

/** Why a text is no argument. */
export function argumentError({ text }: Argument): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `no JSON: ${(error as Error).message}`;
  }
}

/** The payloads of arguments; those left empty at the end are none. */
export function payloadsOf(args: Argument[]): Payload[] {
  let count = args.length;
  while (count > 0 && args[count - 1]?.text.trim() === "") count -= 1;
  return args.slice(0, count).map(({ text, encoding }) => jsonPayload(text.trim(), encoding));
}

/** The first argument that is none. */
export function firstError(args: Argument[]): string | undefined {
  let count = args.length;
  while (count > 0 && args[count - 1]?.text.trim() === "") count -= 1;
  for (const [at, argument] of args.slice(0, count).entries()) {
    const error = argumentError(argument);
    if (error !== undefined) return `argument ${at + 1} is ${error}`;
  }
  return undefined;
}

/** The same arguments as words of a command. */
export const inputWords = (args: Argument[]): string[] =>
  args.filter(({ text }) => text.trim() !== "").flatMap(({ text }) => ["-i", text.trim()]);

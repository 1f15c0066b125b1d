import type { Payload } from "../../api/types";
import { encoded } from "../../payloads/codec";
import { type Argument, firstError, payloadsOf } from "./arguments";

/** Arguments as they are sent: checked, and encoded where there is a codec server. */
export async function sent(namespace: string, args: Argument[]): Promise<Payload[]> {
  const error = firstError(args);
  if (error !== undefined) throw new Error(error);
  return encoded(namespace, payloadsOf(args));
}

import type { Payload } from "../api/types";
import { type CodecSettings, codecStore, codecTokenStore } from "../settings/store";
import { isEncoded } from "./decode";

/** The browser asks the codec server itself: what it decodes never passes Longtide's server. */

export class CodecError extends Error {
  override name = "CodecError";
}

/** Requests that arise within this time go as one. */
const GATHER_MS = 15;
const PAYLOADS_IN_REQUEST_MAX = 200;
const CACHED_MAX = 5_000;

/** The codec server's address for a namespace; an error for what is no address. */
export function codecAddress(settings: CodecSettings, namespace: string, verb: string): string {
  const text = settings.endpoint.replaceAll("{namespace}", encodeURIComponent(namespace));
  let url: URL;
  try {
    url = new URL(text.endsWith("/") ? text : `${text}/`);
  } catch {
    throw new CodecError(`the codec endpoint \`${settings.endpoint}\` is no address`);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new CodecError("the codec endpoint must be an http or https address");
  }
  return new URL(verb, url).href;
}

/** Whether a token may go to an address: only encrypted, or to this machine. */
export function mayCarryToken(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}

async function ask(verb: "decode" | "encode", namespace: string, payloads: Payload[]) {
  const settings = codecStore.get();
  const token = codecTokenStore.get();
  const target = codecAddress(settings, namespace, verb);
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "x-namespace": namespace,
  };
  if (token !== "") {
    if (!mayCarryToken(target)) {
      throw new CodecError("the codec server's token is not sent over http: use https");
    }
    headers.authorization = `Bearer ${token}`;
  }
  let response: Response;
  try {
    response = await fetch(target, {
      method: "POST",
      headers,
      body: JSON.stringify({ payloads }),
      credentials: settings.includeCredentials ? "include" : "omit",
      redirect: "error",
    });
  } catch {
    throw new CodecError(
      "the codec server cannot be reached, or does not allow this page (CORS): see Settings",
    );
  }
  if (!response.ok) throw new CodecError(`the codec server answered ${response.status}`);
  let answer: unknown;
  try {
    answer = await response.json();
  } catch {
    throw new CodecError("the codec server's answer is no JSON");
  }
  const decoded = (answer as { payloads?: unknown } | null)?.payloads;
  if (!Array.isArray(decoded) || decoded.length !== payloads.length) {
    throw new CodecError("the codec server's answer holds another number of payloads");
  }
  return decoded as Payload[];
}

interface Waiting {
  payload: Payload;
  resolve: (payload: Payload) => void;
  reject: (error: unknown) => void;
}

const waiting = new Map<string, Waiting[]>();
const cache = new Map<string, Promise<Payload>>();

function flush(namespace: string): void {
  const all = waiting.get(namespace) ?? [];
  waiting.delete(namespace);
  for (let at = 0; at < all.length; at += PAYLOADS_IN_REQUEST_MAX) {
    const some = all.slice(at, at + PAYLOADS_IN_REQUEST_MAX);
    const asked = ask(
      "decode",
      namespace,
      some.map((one) => one.payload),
    );
    asked.then(
      (decoded) =>
        some.forEach((one, index) => {
          one.resolve(decoded[index] ?? one.payload);
        }),
      (error) => {
        for (const one of some) one.reject(error);
      },
    );
  }
}

/** Forgets what was decoded, after a change of the settings. */
export function forgetDecoded(): void {
  cache.clear();
}
codecStore.subscribe(forgetDecoded);
codecTokenStore.subscribe(forgetDecoded);

/** Decodes a payload if it needs that and a codec server is known; others come back as they are. */
export function decoded(namespace: string, payload: Payload): Promise<Payload> {
  if (codecStore.get().endpoint === "" || !isEncoded(payload)) return Promise.resolve(payload);
  const key = `${namespace}\n${JSON.stringify(payload)}`;
  const known = cache.get(key);
  if (known) return known;
  if (cache.size >= CACHED_MAX) cache.clear();
  const answer = new Promise<Payload>((resolve, reject) => {
    const queue = waiting.get(namespace);
    if (queue) queue.push({ payload, resolve, reject });
    else {
      waiting.set(namespace, [{ payload, resolve, reject }]);
      setTimeout(() => flush(namespace), GATHER_MS);
    }
  });
  cache.set(key, answer);
  answer.catch(() => cache.delete(key));
  return answer;
}

/** Encodes what a form sends, if a codec server is known. */
export async function encoded(namespace: string, payloads: Payload[]): Promise<Payload[]> {
  if (codecStore.get().endpoint === "" || payloads.length === 0) return payloads;
  return ask("encode", namespace, payloads);
}

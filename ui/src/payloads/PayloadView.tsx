import type { Payload } from "../api/types";
import { Code } from "../kit/Code";
import { CopyButton } from "../kit/CopyButton";
import { formatBytes } from "../time/format";
import { base64From, decode } from "./decode";
import { JsonText } from "./JsonText";
import { prettyJson } from "./json";
import { useDecoded } from "./useDecoded";

/** Bytes that are shown of what is no text. */
const BYTES_SHOWN_MAX = 256;

/** A payload, decoded as far as it can be. Nothing of it is ever taken as markup. */
export function PayloadView({ namespace, payload }: { namespace: string; payload: Payload }) {
  const { payload: readable, error, pending } = useDecoded(namespace, payload);
  const decoded = decode(readable);
  const wasEncoded = readable !== payload;
  return (
    <div className="payload" data-encoding={decoded.encoding}>
      {wasEncoded && <span className="tag good payload-tag">decoded by the codec server</span>}
      {error !== undefined && (
        <p className="note bad" role="status">
          {error}
        </p>
      )}
      {decoded.kind === "json" && (
        <>
          {decoded.type !== undefined && <span className="tag payload-tag">{decoded.type}</span>}
          <JsonText text={decoded.text} />
          <CopyButton text={prettyJson(decoded.text)} label="Copy payload" overlay />
        </>
      )}
      {decoded.kind === "text" && (
        <>
          <Code>{decoded.text}</Code>
          <CopyButton text={decoded.text} label="Copy payload" overlay />
        </>
      )}
      {decoded.kind === "null" && <Code className="faint">null</Code>}
      {decoded.kind === "binary" && (
        <Bytes label={decoded.encoding || "bytes"} type={decoded.type} bytes={decoded.bytes} />
      )}
      {decoded.kind === "encoded" && (
        <div className="payload-encoded">
          <span className="tag">
            <LockIcon /> {pending ? "decoding…" : `encoded · ${decoded.encoding}`}
          </span>
          <span className="faint">
            {formatBytes(decoded.bytes.length)}
            {decoded.keyId !== undefined && ` · key ${decoded.keyId}`}
          </span>
          <CopyButton text={base64From(decoded.bytes)} label="Copy the bytes as base64" />
        </div>
      )}
    </div>
  );
}

function LockIcon() {
  return (
    <svg viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
      <path
        d="M2.5 5.5h7v5h-7zM4 5.5V4a2 2 0 0 1 4 0v1.5"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.4"
      />
    </svg>
  );
}

function Bytes({
  label,
  type,
  bytes,
}: {
  label: string;
  type: string | undefined;
  bytes: Uint8Array;
}) {
  return (
    <div className="payload-encoded">
      <span className="tag">{type ?? label}</span>
      <span className="faint">{formatBytes(bytes.length)}</span>
      <code className="bytes">
        {base64From(bytes.subarray(0, BYTES_SHOWN_MAX))}
        {bytes.length > BYTES_SHOWN_MAX && "…"}
      </code>
    </div>
  );
}

/** Several payloads, as an input with several arguments has them. */
export function PayloadList({
  namespace,
  payloads,
  empty = "nothing",
}: {
  namespace: string;
  payloads: Payload[] | undefined;
  empty?: string;
}) {
  if (!payloads || payloads.length === 0) return <p className="faint">{empty}</p>;
  return (
    <ol className="payloads">
      {payloads.map((payload, at) => (
        <li key={at}>
          <PayloadView namespace={namespace} payload={payload} />
        </li>
      ))}
    </ol>
  );
}

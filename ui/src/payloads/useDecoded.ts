import { useEffect, useState } from "react";
import type { Payload } from "../api/types";
import { useStore } from "../kit/store";
import { codecStore } from "../settings/store";
import { CodecError, decoded } from "./codec";
import { isEncoded } from "./decode";

export interface DecodedPayload {
  payload: Payload;
  /** A codec server was asked, and this is why it did not help. */
  error?: string;
  pending?: boolean;
}

/** A payload after the codec server has seen it; as it came until then. */
export function useDecoded(namespace: string, payload: Payload): DecodedPayload {
  const { endpoint } = useStore(codecStore);
  const needed = endpoint !== "" && isEncoded(payload);
  const [state, setState] = useState<DecodedPayload & { of?: Payload; by?: string }>({ payload });
  useEffect(() => {
    if (!needed) return;
    let left = false;
    decoded(namespace, payload).then(
      (answer) => left || setState({ payload: answer, of: payload, by: endpoint }),
      (error: unknown) =>
        left ||
        setState({
          payload,
          error: error instanceof CodecError ? error.message : String(error),
          of: payload,
          by: endpoint,
        }),
    );
    return () => {
      left = true;
    };
  }, [namespace, payload, needed, endpoint]);
  if (!needed) return { payload };
  return state.of === payload && state.by === endpoint ? state : { payload, pending: true };
}

import { useParams } from "@tanstack/react-router";
import { useStore } from "../kit/store";
import { lastNamespaceStore } from "../settings/store";

/** The namespace that the page is about, or was about last. */
export function useNamespace(): string {
  const { namespace } = useParams({ strict: false });
  const last = useStore(lastNamespaceStore);
  return namespace ?? last ?? "default";
}

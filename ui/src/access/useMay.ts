import { useQuery } from "@tanstack/react-query";
import { useNamespace } from "../shell/useNamespace";
import { permissionsQuery, refusal } from "./permissions";

/** Says of a method why the user may not call it; undefined when nothing speaks against it. */
export type May = (method: string) => string | undefined;

/** For the namespace of the page, or another one; empty for the whole server. */
export function useMay(of?: string): May {
  const shown = useNamespace();
  const namespace = of ?? shown;
  const { data: permissions } = useQuery(permissionsQuery(namespace));
  return (method) => refusal(method, namespace, permissions);
}

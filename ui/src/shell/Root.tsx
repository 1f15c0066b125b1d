import { Outlet, useMatches } from "@tanstack/react-router";
import { Layout } from "./Layout";

const BARE: readonly string[] = ["/sign-in", "/signed-in"];

/** The shell around every page but those of the sign-in. */
export function Root() {
  const bare = useMatches({
    select: (matches) => matches.some(({ routeId }) => BARE.includes(routeId)),
  });
  return bare ? <Outlet /> : <Layout />;
}

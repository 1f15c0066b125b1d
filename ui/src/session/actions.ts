import { errorFrom } from "../api/http";
import { here, providerAddress, safeReturn, signedInPath, signInAddress } from "./addresses";
import { type Session, sessionStore, tellOtherTabs } from "./session";

/** When a provider was asked without a click; so soon after, that did not help. */
const ASKED_KEY = "longtide.provider-asked";
const ASKED_AGAIN_MS = 20_000;

/** The provider that is asked without a page of ours, if the server wants that. */
export function onlyProvider(session: Session): string | undefined {
  const [provider] = session.providers;
  return session.redirectToProvider && session.providers.length === 1 ? provider?.name : undefined;
}

/** Goes to the provider at once. False when that was just tried, and nobody was signed in after. */
export function goToProvider(provider: string, returnUrl: string): boolean {
  const now = Date.now();
  try {
    const asked = Number(sessionStorage.getItem(ASKED_KEY) ?? 0);
    if (now - asked < ASKED_AGAIN_MS) return false;
    sessionStorage.setItem(ASKED_KEY, String(now));
  } catch {
    // Without a memory nobody would notice a circle.
    return false;
  }
  location.replace(providerAddress(provider, returnUrl));
  return true;
}

/** Somebody is signed in: the next time a provider may be asked at once. */
export function forgetAsked(): void {
  try {
    sessionStorage.removeItem(ASKED_KEY);
  } catch {
    // Then it was never kept.
  }
}

/** Where one signs in without losing what is on this page: in a tab of its own. */
export function otherTabAddress(session: Session): string {
  const [provider] = session.providers;
  return session.providers.length === 1 && provider
    ? providerAddress(provider.name, signedInPath())
    : signInAddress({ returnUrl: signedInPath() });
}

/** Where one signs in and comes back to this page as it is addressed. */
export const thisTabAddress = (): string => signInAddress({ returnUrl: safeReturn(here()) });

/** Ends the session here, and at the provider where that has such a place. */
export async function signOut(): Promise<void> {
  const token = sessionStore.get().session?.csrfToken;
  const response = await fetch(new URL("auth/logout", document.baseURI), {
    method: "POST",
    headers: {
      accept: "application/json",
      ...(token === undefined ? {} : { "x-csrf-token": token }),
    },
    credentials: "same-origin",
  });
  const body = await response.text();
  // Whose session is over already is signed out.
  if (!response.ok && response.status !== 401) {
    throw errorFrom(response.status, response.statusText, body);
  }
  tellOtherTabs();
  // All that the page holds goes with it.
  location.assign(exitFrom(body) ?? signInAddress({ signedOut: "true" }));
}

/** Where the provider ends its own session, if the answer says so. */
export function exitFrom(body: string, base = document.baseURI): string | undefined {
  try {
    const { endSessionUrl } = JSON.parse(body) as { endSessionUrl?: unknown };
    if (typeof endSessionUrl !== "string" || endSessionUrl === "") return undefined;
    const url = new URL(endSessionUrl, base);
    return ["http:", "https:"].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

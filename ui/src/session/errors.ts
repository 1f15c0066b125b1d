/** Why a sign-in did not work, in words for the one who tried. */

export interface SignInError {
  title: string;
  detail: string;
}

const ERRORS: Record<string, SignInError> = {
  state: {
    title: "This sign-in could not be matched to this browser",
    detail:
      "It was begun elsewhere, its address was used before, or this browser keeps no cookies of this site. Begin again here.",
  },
  denied: {
    title: "The provider did not sign you in",
    detail: "It was cancelled there, or the provider does not let you use Longtide.",
  },
  "not-allowed": {
    title: "You may not use this server",
    detail:
      "The provider knows you, but this server admits only certain people or groups. Ask an administrator, or use another account.",
  },
  provider: {
    title: "The provider could not be asked",
    detail:
      "It was not reached, or its answer could not be trusted. Try again in a moment; the server's log says more.",
  },
  expired: {
    title: "The sign-in took too long",
    detail: "Begin again: a sign-in has to be finished within a few minutes.",
  },
  cookie: {
    title: "This browser did not keep the session",
    detail:
      "You were signed in, but the session's cookie did not come back. Allow cookies for this site, and open it over https.",
  },
};

/** What an error's code means; texts of the address are never shown. */
export function signInError(code: string | undefined): SignInError | undefined {
  if (code === undefined) return undefined;
  return (
    (Object.hasOwn(ERRORS, code) ? ERRORS[code] : undefined) ?? {
      title: "The sign-in did not work",
      detail: "Try again; the server's log says more.",
    }
  );
}

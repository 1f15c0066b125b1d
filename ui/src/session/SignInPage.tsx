import { useEffect } from "react";
import { Icon } from "../kit/icons";
import { useStore } from "../kit/store";
import { signInRoute } from "../router";
import { Wave } from "../shell/Wave";
import { providerAddress, safeReturn } from "./addresses";
import { signInError } from "./errors";
import { sessionStore } from "./session";
import "../styles/sign-in.css";

/** Offers the providers, and says why the last attempt did not work. */
export function SignInPage() {
  const { returnUrl, error, signedOut } = signInRoute.useSearch();
  const { session } = useStore(sessionStore);
  const target = safeReturn(returnUrl);
  const failed = signInError(error);
  useEffect(() => {
    document.title = "Sign in · Longtide";
    return () => {
      document.title = "Longtide";
    };
  }, []);
  return (
    <main className="sign-in" id="main">
      <div className="sign-in-card">
        <p className="sign-in-brand">
          <Wave size={28} /> Longtide
        </p>
        <h1>Sign in</h1>
        {failed && (
          <div className="note bad" role="alert">
            <strong>{failed.title}.</strong> {failed.detail}
          </div>
        )}
        {signedOut && !failed && (
          <p className="note" role="status">
            You are signed out.
          </p>
        )}
        {session?.user ? (
          <>
            <p>
              You are signed in as <strong>{session.user.name}</strong>.
            </p>
            <a className="button primary" href={target}>
              Go on
            </a>
          </>
        ) : session?.enabled ? (
          session.providers.length === 0 ? (
            <p className="note bad">No provider is configured on this server.</p>
          ) : (
            <ul className="sign-in-providers">
              {session.providers.map(({ name, label }, at) => (
                <li key={name}>
                  <a
                    className={at === 0 ? "button primary" : "button"}
                    href={providerAddress(name, target)}
                  >
                    <Icon name="key" /> Sign in with {label}
                  </a>
                </li>
              ))}
            </ul>
          )
        ) : (
          <>
            <p>This server does not sign people in.</p>
            <a className="button" href={target}>
              Go on
            </a>
          </>
        )}
      </div>
    </main>
  );
}

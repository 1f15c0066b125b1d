import { useStore } from "../kit/store";
import { otherTabAddress, thisTabAddress } from "./actions";
import { sessionStore } from "./session";

/** The way back in for somebody whose session has ended, without losing what is on the page. */
export function SignInAgain() {
  const { session, ended } = useStore(sessionStore);
  if (!session?.enabled) return null;
  if (!ended) return <p>You are signed in again: send it once more.</p>;
  return (
    <p>
      What you have typed is still here.{" "}
      <a href={otherTabAddress(session)} target="_blank" rel="noopener noreferrer">
        Sign in in a new tab
      </a>{" "}
      and come back, or <a href={thisTabAddress()}>sign in here</a> and begin anew.
    </p>
  );
}

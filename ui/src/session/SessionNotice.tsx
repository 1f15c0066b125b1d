import { useStore } from "../kit/store";
import { SignInAgain } from "./SignInAgain";
import { sessionStore } from "./session";

/** Says that the session has ended, beside what is shown: nothing on the page is lost by it. */
export function SessionNotice() {
  const { ended } = useStore(sessionStore);
  return (
    <div role="status" className="session-notice">
      {ended && (
        <div className="note warn">
          <strong>Your session has ended.</strong>
          <SignInAgain />
        </div>
      )}
    </div>
  );
}

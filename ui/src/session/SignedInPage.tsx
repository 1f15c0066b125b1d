import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { useStore } from "../kit/store";
import { Wave } from "../shell/Wave";
import { sessionStore, tellOtherTabs } from "./session";
import "../styles/sign-in.css";

/** Where a sign-in in a tab of its own ends: the tab that waits for it hears of it. */
export function SignedInPage() {
  const { session } = useStore(sessionStore);
  useEffect(() => {
    if (session?.user !== undefined) tellOtherTabs();
  }, [session?.user]);
  return (
    <main className="sign-in" id="main">
      <div className="sign-in-card">
        <p className="sign-in-brand">
          <Wave size={28} /> Longtide
        </p>
        <h1>{session?.user ? `Signed in as ${session.user.name}` : "Not signed in"}</h1>
        <p>
          {session?.user
            ? "Close this tab and go on where you were."
            : "Go back to the page where you were, and try again."}
        </p>
        <Link to="/" className="button">
          Stay in this tab
        </Link>
      </div>
    </main>
  );
}

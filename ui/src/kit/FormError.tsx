import { ApiError } from "../api/http";
import { SignInAgain } from "../session/SignInAgain";

/** Why a form was not taken. What is in it stays, also when the session has ended meanwhile. */
export function FormError({ error }: { error: Error | null }) {
  if (error === null) return null;
  const known = error instanceof ApiError ? error : undefined;
  return (
    <div className="note bad" role="alert">
      {known && (
        <>
          <code>{known.code}</code>{" "}
        </>
      )}
      {error.message}
      {known?.details.map((detail) => (
        <span key={detail} className="faint">
          {" "}
          · {detail}
        </span>
      ))}
      {known?.code === "UNAUTHENTICATED" && <SignInAgain />}
    </div>
  );
}

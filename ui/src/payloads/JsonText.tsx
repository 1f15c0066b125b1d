import { useMemo, useState } from "react";
import { Code } from "../kit/Code";
import { jsonLines } from "./json";

/** More lines than these are shown on request only. */
const LINES_AT_ONCE = 400;

/** JSON with colours, or the text as it stands if it is none. */
export function JsonText({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  const lines = useMemo(() => jsonLines(text), [text]);
  if (!lines) return <Code>{text}</Code>;
  const shown = all ? lines : lines.slice(0, LINES_AT_ONCE);
  return (
    <>
      <Code>
        {shown.map((line, at) => (
          <span key={at}>
            {line.map((token, index) =>
              token.kind === "mark" ? (
                token.text
              ) : (
                <span key={index} className={`json-${token.kind}`}>
                  {token.text}
                </span>
              ),
            )}
            {"\n"}
          </span>
        ))}
      </Code>
      {shown.length < lines.length && (
        <button type="button" className="button quiet" onClick={() => setAll(true)}>
          Show {lines.length - shown.length} more lines
        </button>
      )}
    </>
  );
}

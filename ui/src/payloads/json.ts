/** JSON as text: nothing is parsed into numbers, so that none loses a digit. */

export type TokenKind = "key" | "string" | "number" | "word" | "mark";

export interface Token {
  kind: TokenKind;
  text: string;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:]|\s+/y;

/** The lines of a JSON text, indented anew; undefined if the text is no JSON. */
export function jsonLines(text: string): Token[][] | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    if (!/^\s/.test(match[0])) tokens.push(match[0]);
    if (TOKEN.lastIndex === text.length) break;
  }
  const lines: Token[][] = [[]];
  let depth = 0;
  const add = (kind: TokenKind, token: string): void => {
    lines.at(-1)?.push({ kind, text: token });
  };
  const newLine = (): void => {
    lines.push(depth === 0 ? [] : [{ kind: "mark", text: "  ".repeat(depth) }]);
  };
  tokens.forEach((token, at) => {
    const next = tokens[at + 1];
    switch (token) {
      case "{":
      case "[":
        add("mark", token);
        if (next === "}" || next === "]") break;
        depth += 1;
        newLine();
        break;
      case "}":
      case "]": {
        const before = tokens[at - 1];
        if (before !== "{" && before !== "[") {
          depth -= 1;
          newLine();
        }
        add("mark", token);
        break;
      }
      case ",":
        add("mark", token);
        newLine();
        break;
      case ":":
        add("mark", ": ");
        break;
      default:
        if (token.startsWith('"')) add(next === ":" ? "key" : "string", token);
        else add(/^[tfn]/.test(token) ? "word" : "number", token);
    }
  });
  return lines;
}

/** A JSON text, indented; what is no JSON stays as it is. */
export function prettyJson(text: string): string {
  const lines = jsonLines(text);
  return lines ? lines.map((line) => line.map((token) => token.text).join("")).join("\n") : text;
}

/** A list filter as conditions that people pick, and as the text that the server reads. */

export const OPERATORS = [
  "=",
  "!=",
  ">",
  ">=",
  "<",
  "<=",
  "STARTS_WITH",
  "NOT STARTS_WITH",
  "IN",
  "NOT IN",
  "BETWEEN",
  "IS NULL",
  "IS NOT NULL",
] as const;

export type Operator = (typeof OPERATORS)[number];

export interface Condition {
  field: string;
  operator: Operator;
  /** The literals, as people write them: without quotes. */
  values: string[];
}

/** The kinds of search attributes, by the API's names. */
export type AttributeType =
  | "INDEXED_VALUE_TYPE_TEXT"
  | "INDEXED_VALUE_TYPE_KEYWORD"
  | "INDEXED_VALUE_TYPE_INT"
  | "INDEXED_VALUE_TYPE_DOUBLE"
  | "INDEXED_VALUE_TYPE_BOOL"
  | "INDEXED_VALUE_TYPE_DATETIME"
  | "INDEXED_VALUE_TYPE_KEYWORD_LIST";

export function operatorsOf(type: string | undefined): Operator[] {
  switch (type) {
    case "INDEXED_VALUE_TYPE_TEXT":
      return ["=", "!=", "IS NULL", "IS NOT NULL"];
    case "INDEXED_VALUE_TYPE_BOOL":
      return ["=", "!=", "IS NULL", "IS NOT NULL"];
    case "INDEXED_VALUE_TYPE_INT":
    case "INDEXED_VALUE_TYPE_DOUBLE":
    case "INDEXED_VALUE_TYPE_DATETIME":
      return ["=", "!=", ">", ">=", "<", "<=", "BETWEEN", "IS NULL", "IS NOT NULL"];
    case "INDEXED_VALUE_TYPE_KEYWORD_LIST":
      return ["=", "!=", "IN", "NOT IN", "IS NULL", "IS NOT NULL"];
    default:
      return [
        "=",
        "!=",
        "STARTS_WITH",
        "NOT STARTS_WITH",
        "IN",
        "NOT IN",
        "IS NULL",
        "IS NOT NULL",
      ];
  }
}

const UNQUOTED = new Set([
  "INDEXED_VALUE_TYPE_INT",
  "INDEXED_VALUE_TYPE_DOUBLE",
  "INDEXED_VALUE_TYPE_BOOL",
]);

/** A string literal. */
export const quote = (text: string): string =>
  `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;

const fieldText = (field: string): string =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(field) ? field : `\`${field.replace(/`/g, "")}\``;

function literal(value: string, type: string | undefined): string {
  const bare =
    (type === undefined || UNQUOTED.has(type)) && /^(-?\d+(\.\d+)?|true|false)$/i.test(value);
  return bare && type !== undefined ? value : quote(value);
}

export function conditionText(
  { field, operator, values }: Condition,
  types: Record<string, string> = {},
): string {
  const type = types[field];
  const name = fieldText(field);
  const literals = values.map((value) => literal(value, type));
  switch (operator) {
    case "IS NULL":
    case "IS NOT NULL":
      return `${name} ${operator}`;
    case "IN":
    case "NOT IN":
      return `${name} ${operator} (${literals.join(", ")})`;
    case "BETWEEN":
      return `${name} BETWEEN ${literals[0] ?? '""'} AND ${literals[1] ?? '""'}`;
    default:
      return `${name} ${operator} ${literals[0] ?? '""'}`;
  }
}

export const filterText = (conditions: Condition[], types: Record<string, string> = {}): string =>
  conditions.map((condition) => conditionText(condition, types)).join(" AND ");

interface Token {
  kind: "word" | "string" | "mark";
  text: string;
}

/** The tokens of a filter; undefined if something is none. */
function tokens(text: string): Token[] | undefined {
  const pattern =
    /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`([^`]+)`|(!=|>=|<=|=|>|<|\(|\)|,)|([^\s"'`=<>!(),]+))/y;
  const all: Token[] = [];
  const trimmed = text.trim();
  while (pattern.lastIndex < trimmed.length) {
    const match = pattern.exec(trimmed);
    if (!match) return undefined;
    const [, double, single, ticked, mark, word] = match;
    const string = double ?? single;
    if (string !== undefined) all.push({ kind: "string", text: string.replace(/\\(.)/g, "$1") });
    else if (mark !== undefined) all.push({ kind: "mark", text: mark });
    else all.push({ kind: "word", text: ticked ?? word ?? "" });
  }
  return all;
}

/**
 * Reads a filter that is a conjunction of simple conditions. Others (`OR`, parentheses, `ORDER BY`, an
 * expression for a value) have no form as conditions, and give undefined: they stay text.
 */
export function parseFilter(text: string): Condition[] | undefined {
  const all = tokens(text);
  if (!all) return undefined;
  let at = 0;
  const word = (...words: string[]): boolean => {
    const fits = words.every((one, index) => {
      const token = all[at + index];
      return token?.kind === "word" && token.text.toUpperCase() === one;
    });
    if (fits) at += words.length;
    return fits;
  };
  const mark = (text: string): boolean => {
    const fits = all[at]?.kind === "mark" && all[at]?.text === text;
    if (fits) at += 1;
    return fits;
  };
  const value = (): string | undefined => {
    const token = all[at];
    if (!token || token.kind === "mark" || (all[at + 1]?.text === "(" && token.kind === "word")) {
      return undefined;
    }
    at += 1;
    return token.text;
  };
  const list = (): string[] | undefined => {
    if (!mark("(")) return undefined;
    const values: string[] = [];
    do {
      const one = value();
      if (one === undefined) return undefined;
      values.push(one);
    } while (mark(","));
    return mark(")") ? values : undefined;
  };
  const condition = (): Condition | undefined => {
    const token = all[at];
    if (
      token?.kind !== "word" ||
      ["NOT", "AND", "OR", "ORDER", "GROUP"].includes(token.text.toUpperCase())
    ) {
      return undefined;
    }
    at += 1;
    const field = token.text;
    const with_ = (operator: Operator, values: string[] | undefined): Condition | undefined =>
      values && { field, operator, values };
    const one = (operator: Operator): Condition | undefined => {
      const single = value();
      return with_(operator, single === undefined ? undefined : [single]);
    };
    if (word("IS", "NOT", "NULL")) return with_("IS NOT NULL", []);
    if (word("IS", "NULL")) return with_("IS NULL", []);
    if (word("NOT", "IN")) return with_("NOT IN", list());
    if (word("IN")) return with_("IN", list());
    if (word("NOT", "STARTS_WITH")) return one("NOT STARTS_WITH");
    if (word("STARTS_WITH")) return one("STARTS_WITH");
    if (word("BETWEEN")) {
      const from = value();
      if (from === undefined || !word("AND")) return undefined;
      const to = value();
      return to === undefined ? undefined : with_("BETWEEN", [from, to]);
    }
    for (const operator of ["!=", ">=", "<=", "=", ">", "<"] as const) {
      if (mark(operator)) return one(operator);
    }
    return undefined;
  };
  const conditions: Condition[] = [];
  if (all.length === 0) return conditions;
  for (;;) {
    const next = condition();
    if (!next) return undefined;
    conditions.push(next);
    if (at === all.length) return conditions;
    if (!word("AND")) return undefined;
  }
}

/** The statuses that a filter asks for; undefined if it asks for none in particular. */
export function statusesOf(conditions: Condition[]): string[] | undefined {
  const found = conditions.find(
    ({ field, operator }) => field === "ExecutionStatus" && (operator === "=" || operator === "IN"),
  );
  return found?.values;
}

/** A filter with other statuses; none: without the condition. */
export function withStatuses(conditions: Condition[], statuses: string[]): Condition[] {
  const others = conditions.filter(
    ({ field, operator }) =>
      !(field === "ExecutionStatus" && (operator === "=" || operator === "IN")),
  );
  if (statuses.length === 0) return others;
  const operator = statuses.length === 1 ? "=" : "IN";
  return [{ field: "ExecutionStatus", operator, values: statuses }, ...others];
}

/** What people mean who type no filter but a word: an id that starts with it. */
export function filterFromWords(typed: string): string {
  const text = typed.trim();
  if (
    text === "" ||
    /[=<>()`"']|\s(IN|IS|BETWEEN|STARTS_WITH|CONTAINS)\s|^ORDER\s+BY\s/i.test(text)
  )
    return text;
  return `WorkflowId STARTS_WITH ${quote(text)}`;
}

import { expect, it } from "vitest";
import { parseInline, parseMarkdown, safeHref } from "./markdown";

it("markup of a page is text", () => {
  const hostile = '<img src=x onerror="alert(1)"><script>alert(1)</script>';
  expect(parseMarkdown(hostile)).toEqual([
    { kind: "paragraph", children: [{ kind: "text", text: hostile }] },
  ]);
});

it.each(["javascript:alert(1)", "data:text/html,x", "vbscript:x", "//evil", "/relative"])(
  "%s is no link",
  (href) => {
    expect(safeHref(href)).toBeUndefined();
    expect(parseInline(`[x](${href})`).some(({ kind }) => kind === "link")).toBe(false);
  },
);

it("words, links, lists, titles and code are told apart", () => {
  expect(
    parseMarkdown(
      "# T\n\na **b** `c` [d](https://e.test/)\n\n- one\n- two\n1. first\n```\n<b>\n```",
    ),
  ).toEqual([
    { kind: "heading", level: 1, children: [{ kind: "text", text: "T" }] },
    {
      kind: "paragraph",
      children: [
        { kind: "text", text: "a " },
        { kind: "strong", children: [{ kind: "text", text: "b" }] },
        { kind: "text", text: " " },
        { kind: "code", text: "c" },
        { kind: "text", text: " " },
        { kind: "link", href: "https://e.test/", children: [{ kind: "text", text: "d" }] },
      ],
    },
    {
      kind: "list",
      ordered: false,
      items: [[{ kind: "text", text: "one" }], [{ kind: "text", text: "two" }]],
    },
    { kind: "list", ordered: true, items: [[{ kind: "text", text: "first" }]] },
    { kind: "code", text: "<b>" },
  ]);
});

it("a text of any kind is parsed in little time", () => {
  const before = performance.now();
  parseMarkdown("*".repeat(20_000));
  parseMarkdown("[".repeat(20_000));
  parseMarkdown("**a".repeat(7_000));
  expect(performance.now() - before).toBeLessThan(20_000);
});

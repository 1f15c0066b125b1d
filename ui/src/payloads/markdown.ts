/** The little Markdown that summaries and details may hold, as a tree. It has no HTML at all. */

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "strong" | "emphasis"; children: Inline[] }
  | { kind: "code"; text: string }
  | { kind: "link"; href: string; children: Inline[] };

export type Block =
  | { kind: "paragraph"; children: Inline[] }
  | { kind: "heading"; level: number; children: Inline[] }
  | { kind: "list"; ordered: boolean; items: Inline[][] }
  | { kind: "code"; text: string };

const TEXT_MAX = 20_000;

/** Links lead to the web only. */
export function safeHref(href: string): string | undefined {
  try {
    const url = new URL(href);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^()\s]+)\)/;

export function parseInline(text: string): Inline[] {
  const parts: Inline[] = [];
  let rest = text;
  while (rest !== "") {
    const match = INLINE.exec(rest);
    if (!match) {
      parts.push({ kind: "text", text: rest });
      break;
    }
    if (match.index > 0) parts.push({ kind: "text", text: rest.slice(0, match.index) });
    const [whole, code, strong, strongToo, emphasis, label, target] = match;
    if (code !== undefined) parts.push({ kind: "code", text: code });
    else if (strong !== undefined || strongToo !== undefined) {
      parts.push({ kind: "strong", children: parseInline(strong ?? strongToo ?? "") });
    } else if (emphasis !== undefined) {
      parts.push({ kind: "emphasis", children: parseInline(emphasis) });
    } else {
      const href = safeHref(target ?? "");
      if (href === undefined) parts.push({ kind: "text", text: whole });
      else parts.push({ kind: "link", href, children: parseInline(label ?? "") });
    }
    rest = rest.slice(match.index + whole.length);
  }
  return parts;
}

export function parseMarkdown(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.slice(0, TEXT_MAX).split("\n");
  let paragraph: string[] = [];
  const close = (): void => {
    if (paragraph.length > 0) {
      blocks.push({ kind: "paragraph", children: parseInline(paragraph.join(" ")) });
    }
    paragraph = [];
  };
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    const item = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/.exec(line);
    if (line.startsWith("```")) {
      close();
      const end = lines.findIndex((one, index) => index > at && one.startsWith("```"));
      const last = end === -1 ? lines.length : end;
      blocks.push({ kind: "code", text: lines.slice(at + 1, last).join("\n") });
      at = last;
    } else if (heading) {
      close();
      const [, marks = "", title = ""] = heading;
      blocks.push({ kind: "heading", level: marks.length, children: parseInline(title) });
    } else if (item) {
      close();
      const ordered = item[1] !== undefined;
      const before = blocks.at(-1);
      const children = parseInline(item[2] ?? "");
      if (before?.kind === "list" && before.ordered === ordered) before.items.push(children);
      else blocks.push({ kind: "list", ordered, items: [children] });
    } else if (line.trim() === "") close();
    else paragraph.push(line.trim());
  }
  close();
  return blocks;
}

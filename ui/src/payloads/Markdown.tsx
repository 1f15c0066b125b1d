import { Fragment, useMemo } from "react";
import { Code } from "../kit/Code";
import { type Block, type Inline, parseInline, parseMarkdown } from "./markdown";

/** Markdown of a workflow's author: built as elements, so that no part of it can be markup. */
export function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => parseMarkdown(text), [text]);
  return (
    <div className="markdown">
      {blocks.map((block, at) => (
        <Fragment key={at}>{blockElement(block)}</Fragment>
      ))}
    </div>
  );
}

/** One line of it. */
export function MarkdownLine({ text }: { text: string }) {
  return <span className="markdown">{inlineElements(parseInline(text.replace(/\n/g, " ")))}</span>;
}

function blockElement(block: Block) {
  switch (block.kind) {
    case "paragraph":
      return <p>{inlineElements(block.children)}</p>;
    case "heading":
      return <p className="markdown-heading">{inlineElements(block.children)}</p>;
    case "code":
      return <Code>{block.text}</Code>;
    case "list": {
      const items = block.items.map((item, at) => <li key={at}>{inlineElements(item)}</li>);
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
  }
}

function inlineElements(parts: Inline[]) {
  return parts.map((part, at) => <Fragment key={at}>{inlineElement(part)}</Fragment>);
}

function inlineElement(part: Inline) {
  switch (part.kind) {
    case "text":
      return part.text;
    case "code":
      return <code>{part.text}</code>;
    case "strong":
      return <strong>{inlineElements(part.children)}</strong>;
    case "emphasis":
      return <em>{inlineElements(part.children)}</em>;
    case "link":
      return (
        <a href={part.href} target="_blank" rel="noreferrer noopener nofollow">
          {inlineElements(part.children)}
        </a>
      );
  }
}

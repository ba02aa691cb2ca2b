/**
 * The part of `@deno/gfm` that reports use, with the same names, over marked, sanitize-html and github-markdown-css: the
 * import map points here because JSR is not reachable from every network.
 *
 * Mathematics, syntax highlighting, frames and footnotes of the original are left out.
 *
 * @module
 */
import githubMarkdownCss from "github-markdown-css/github-markdown.css" with { type: "text" };
import { Marked } from "marked";
import sanitizeHtmlModule from "sanitize-html";

/** Options of {@linkcode render}. */
export interface RenderOptions {
  /** Renders without the block elements that wrap a paragraph; false unless given. */
  inline?: boolean;
  /** Turns every line break of a paragraph into `<br>`; false unless given. */
  breaks?: boolean;
  /** Lets any HTML of the text through: only for text from a trusted source; false unless given. */
  disableHtmlSanitization?: boolean;
  /** Tags to let through beside those of GitHub's Markdown. */
  allowedTags?: string[];
  /** Attributes to let through, by tag. */
  allowedAttributes?: Record<string, string[]>;
  /** Classes to let through, by tag. */
  allowedClasses?: Record<string, string[]>;
}

interface SanitizeOptions {
  allowedTags: string[];
  allowedAttributes: Record<string, string[]>;
  allowedClasses: Record<string, string[]>;
  transformTags: Record<string, (tagName: string, attributes: Record<string, string>) => TransformedTag>;
}

interface TransformedTag {
  tagName: string;
  attribs: Record<string, string>;
}

// The package ships no types.
const sanitizeHtml = sanitizeHtmlModule as (html: string, options: SanitizeOptions) => string;

/** Style sheet of rendered Markdown: applies inside `class="markdown-body"`, light or dark as the reader prefers. */
export const CSS: string = githubMarkdownCss;

const HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"];

const ALLOWED_TAGS = [
  ...HEADINGS,
  ..."a abbr b blockquote br caption cite code dd del details dfn div dl dt em figcaption figure hr i img input ins kbd li"
    .split(" "),
  ..."mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr ul var".split(" "),
];

const ALLOWED_ATTRIBUTES: Record<string, string[]> = {
  ...Object.fromEntries(HEADINGS.map((tag) => [tag, ["id"]])),
  a: ["href", "id", "title", "rel", "target", "aria-label"],
  details: ["open"],
  div: ["align", "id"],
  img: ["src", "alt", "title", "width", "height", "align"],
  input: ["type", "checked", "disabled"],
  ol: ["start"],
  p: ["align"],
  td: ["align", "colspan", "rowspan"],
  th: ["align", "colspan", "rowspan", "scope"],
};

/** Makes heading ids as GitHub does: lower case, spaces to hyphens, a number behind a repeated one. */
function slugger(): (heading: string) => string {
  const seen = new Map<string, number>();
  return (heading) => {
    const text = heading.replace(/<[^>]*>/g, "").replace(/&[#\w]+;/g, "").trim().toLowerCase();
    const slug = text.replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, "").replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  };
}

/** Renders a document with its own heading ids: marked's renderers are shared state, so each call makes its own. */
function toHtml(markdown: string, { inline = false, breaks = false }: RenderOptions): string {
  const slug = slugger();
  const marked = new Marked({
    gfm: true,
    breaks,
    renderer: {
      heading({ tokens, depth }): string {
        const content = this.parser.parseInline(tokens);
        return `<h${depth} id="${slug(content)}">${content}</h${depth}>\n`;
      },
    },
  });
  const html = inline ? marked.parseInline(markdown) : marked.parse(markdown);
  return html as string;
}

/**
 * Renders GitHub Flavored Markdown to safe HTML.
 *
 * @param markdown The text.
 * @param opts What to let through and how to break lines.
 * @returns HTML to put inside an element of class `markdown-body`.
 *
 * @example Render a line
 * ```ts
 * import { render } from "@deno/gfm";
 *
 * render("**Paris**", { inline: true }); // "<strong>Paris</strong>"
 * ```
 */
export function render(markdown: string, opts: RenderOptions = {}): string {
  const html = toHtml(markdown, opts);
  if (opts.disableHtmlSanitization) return html;
  const attributes: Record<string, string[]> = { ...ALLOWED_ATTRIBUTES };
  for (const [tag, names] of Object.entries(opts.allowedAttributes ?? {})) {
    attributes[tag] = [...(attributes[tag] ?? []), ...names];
  }
  return sanitizeHtml(html, {
    allowedTags: [...ALLOWED_TAGS, ...(opts.allowedTags ?? [])],
    allowedAttributes: attributes,
    allowedClasses: { code: ["language-*"], ...opts.allowedClasses },
    // A form field other than the box of a task list has no place in a page made from text.
    transformTags: {
      input: (tagName, { checked }) => {
        const box = { type: "checkbox", disabled: "" };
        return { tagName, attribs: checked === undefined ? box : { ...box, checked: "" } };
      },
    },
  });
}

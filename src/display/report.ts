/**
 * Reports: one self-contained HTML page with text, tables and figures, that asks nothing of the network.
 *
 * @module
 */
import { type FigureSpec, titleOf } from "./figure_spec.ts";
import { PAGE_SCRIPT, pageStyle } from "./report_page.ts";
import { renderSvg } from "./static_svg.ts";
import { cellText, cellTone, checkRows, type Table } from "./table.ts";
import { type PlotlyObject, WIDTH } from "./theme.ts";

/** A number or word of the result, set large at the top. */
export interface Highlight {
  /** What it is. */
  label: string;
  /** The number or word. */
  value: string;
  /** What to compare it with. */
  note?: string;
}

/** A part of a report under a heading of its own; its pieces stand in this order. */
export interface ReportSection {
  /** Heading. */
  title: string;
  /** Text in Markdown. */
  markdown?: string;
  /** Named facts, such as the model and the settings. */
  facts?: Record<string, string>;
  /** Figures: functions of the width in pixels, since small screens get a drawing of their own. */
  figures?: ((width: number) => FigureSpec)[];
  /** Tables. */
  tables?: Table[];
}

/** A report. */
export interface Report {
  /** Title of the page. */
  title: string;
  /** A few sentences in Markdown under the title. */
  intro?: string;
  /** Results at a glance. */
  highlights?: Highlight[];
  /** Parts in order. */
  sections: ReportSection[];
  /** Language of the texts, default `en`. */
  language?: string;
}

/** Characters from which on a column counts as running text, which is not squeezed. */
const LONG = 30;

/** Width of the drawings for small screens, in pixels. */
const NARROW = 340;

/**
 * Writes a report as one page; figures follow the reader's choice of light or dark.
 *
 * @param report What to say.
 * @returns HTML, the same for the same report.
 * @throws {RangeError} If a table has a row of the wrong length.
 */
export async function renderReport(report: Report): Promise<string> {
  const { title, intro, highlights = [], sections, language = "en" } = report;
  // Loading the Markdown reader takes 0.2 s, which only a report pays for.
  const { render: renderMarkdown } = await import("@deno/gfm");
  const parts: string[] = [];
  for (const [index, section] of sections.entries()) {
    parts.push(await sectionHtml(section, `s${index + 1}`, renderMarkdown));
  }
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src '${await hash(
    PAGE_SCRIPT,
  )}'`;
  return `<!doctype html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${pageStyle()}</style>
</head>
<body>
<main>
<header><h1>${escapeHtml(title)}</h1><button type="button" hidden></button></header>
${intro === undefined ? "" : `<div class="lead">${renderMarkdown(intro)}</div>`}
${highlightsHtml(highlights)}
${parts.join("\n")}
</main>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

/**
 * Escapes text for HTML.
 *
 * @param text Any text.
 * @returns Text for content and for quoted attributes.
 */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function highlightsHtml(highlights: Highlight[]): string {
  if (highlights.length === 0) return "";
  const items = highlights.map(({ label, value, note }) =>
    `<li><span class="label">${escapeHtml(label)}</span><span class="value">${escapeHtml(value)}</span>` +
    `${note === undefined ? "" : `<span class="note">${escapeHtml(note)}</span>`}</li>`
  );
  return `<ul class="highlights">\n${items.join("\n")}\n</ul>`;
}

async function sectionHtml(
  section: ReportSection,
  id: string,
  renderMarkdown: (markdown: string) => string,
): Promise<string> {
  const { title, markdown, facts, figures = [], tables = [] } = section;
  const lines = [`<section aria-labelledby="${id}">`, `<h2 id="${id}">${escapeHtml(title)}</h2>`];
  if (markdown !== undefined) lines.push(renderMarkdown(markdown));
  if (facts !== undefined) lines.push(factsHtml(facts));
  for (const [index, figure] of figures.entries()) lines.push(await figureHtml(figure, `${id}-f${index + 1}`));
  for (const table of tables) lines.push(tableHtml(table, title));
  lines.push("</section>");
  return lines.join("\n");
}

function factsHtml(facts: Record<string, string>): string {
  const entries = Object.entries(facts).map(([name, value]) =>
    `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`
  );
  return `<dl class="card">\n${entries.join("\n")}\n</dl>`;
}

async function figureHtml(figure: (width: number) => FigureSpec, id: string): Promise<string> {
  const wide = figure(WIDTH);
  const description = String((wide.layout.meta as PlotlyObject | undefined)?.description ?? titleOf(wide));
  const draw = async (spec: FigureSpec, kind: "wide" | "narrow"): Promise<string> => {
    const svg = await renderSvg(spec, { mode: "adaptive", id: `${id}-${kind}`, title: false });
    // The picture is one image to a screen reader, with the description as its name.
    return svg.replace(/^<svg/, `<svg class="${kind}" role="img" aria-label="${escapeHtml(description)}"`)
      .replace(/^(<svg[^>]*?) width="[^"]*" height="[^"]*"/, "$1");
  };
  return `<figure class="card" id="${id}">
<figcaption>${escapeHtml(titleOf(wide))}</figcaption>
${await draw(wide, "wide")}
${await draw(figure(NARROW), "narrow")}
</figure>`;
}

function tableHtml(table: Table, title: string): string {
  checkRows(table);
  const { caption, columns, rows } = table;
  const classes = (...names: (string | false)[]): string => {
    const kept = names.filter((name) => name !== false && name !== "left" && name !== "plain");
    return kept.length === 0 ? "" : ` class="${kept.join(" ")}"`;
  };
  const head = columns.map(({ header, align = "left" }) =>
    `<th scope="col"${classes(align)}>${escapeHtml(header)}</th>`
  );
  const isLong = columns.map((_, index) => rows.some((row) => cellText(row[index]).length > LONG));
  const body = rows.map((row) => {
    const cells = row.map((cell, index) => {
      const tone = cellTone(cell);
      const look = classes(
        columns[index].align ?? "left",
        isLong[index] && "text",
        tone === "muted" ? "tone-muted" : tone,
      );
      const text = escapeHtml(cellText(cell));
      return index === 0 ? `<th scope="row"${look}>${text}</th>` : `<td${look}>${text}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  // A scrolling region must be reachable from the keyboard, and so needs a name.
  return `<div class="card scroll" role="region" aria-label="${escapeHtml(caption ?? title)}" tabindex="0">
<table>
${caption === undefined ? "" : `<caption>${escapeHtml(caption)}</caption>`}
<thead><tr>${head.join("")}</tr></thead>
<tbody>
${body.join("\n")}
</tbody>
</table>
</div>`;
}

async function hash(script: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
  return `sha256-${new Uint8Array(digest).toBase64()}`;
}

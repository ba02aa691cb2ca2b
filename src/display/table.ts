/**
 * Tables as values, written for terminals and Markdown; the report writes them as HTML.
 *
 * @module
 */
import { columns as widthOf, fit } from "./glyph_width.ts";

/** Meaning of a cell, shown by colour where there is one; texts must say it too. */
export type CellTone = "plain" | "good" | "bad" | "muted" | "strong";

/** A cell: a text, or a text with a meaning. */
export type Cell = string | {
  /** One line. */
  text: string;
  /** Meaning. */
  tone?: CellTone;
};

/** A column. */
export interface Column {
  /** Heading. */
  header: string;
  /** Side on which texts are lined up; default left. */
  align?: "left" | "right" | "center";
  /** Most terminal columns of a text, longer ones are cut; default 60. */
  maxWidth?: number;
}

/** A table. */
export interface Table {
  /** Sentence above the table. */
  caption?: string;
  /** Columns. */
  columns: Column[];
  /** Rows, each with a cell a column. */
  rows: Cell[][];
}

/** Options of {@linkcode terminalTable}. */
export interface TerminalTableOptions {
  /** Whether ANSI colours are written; by default when standard output is a terminal and `NO_COLOR` is not set. */
  color?: boolean;
  /** Terminal columns that a line may take; by default those of standard output, any number where it is no terminal. */
  width?: number;
}

const ANSI: Record<CellTone, string> = { plain: "", good: "32", bad: "31", muted: "2", strong: "1" };

const MAX_WIDTH = 60;

/** Terminal columns that a column keeps when a table is narrowed: numbers and single words stay whole. */
const KEPT_WIDTH = 12;

/** Blanks between two columns. */
const GAP = 2;

/**
 * Reads the text of a cell.
 *
 * @param cell A cell.
 * @returns Its text, in one line.
 */
export function cellText(cell: Cell): string {
  return (typeof cell === "string" ? cell : cell.text).replaceAll(/\r?\n/g, "\\n");
}

/**
 * Reads the meaning of a cell.
 *
 * @param cell A cell.
 * @returns Its tone, `plain` unless given.
 */
export function cellTone(cell: Cell): CellTone {
  return typeof cell === "string" ? "plain" : cell.tone ?? "plain";
}

/**
 * Writes a table for a terminal: columns lined up by what is seen, a rule under the headings.
 *
 * @param table The table.
 * @param options Colours and width; where lines are too long, the cells of the widest columns take several.
 * @returns Lines joined by line feeds, without one at the end.
 * @throws {RangeError} If a row has more or fewer cells than there are columns.
 */
export function terminalTable(table: Table, options: TerminalTableOptions = {}): string {
  checkRows(table);
  const { color = hasColor(), width = terminalWidth() } = options;
  const headers = table.columns.map(({ header }) => header);
  const whole = table.rows.map((row) =>
    row.map((cell, index) => fit(cellText(cell), table.columns[index].maxWidth ?? MAX_WIDTH))
  );
  const widths = narrowed(
    headers.map((header, index) => Math.max(widthOf(header), ...whole.map((row) => widthOf(row[index])))),
    width - GAP * (headers.length - 1),
  );
  const paint = (text: string, tone: CellTone): string =>
    color && ANSI[tone] !== "" ? `\u001b[${ANSI[tone]}m${text}\u001b[0m` : text;
  const line = (cells: string[], tones: CellTone[]): string =>
    cells.map((text, index) => {
      const blank = widths[index] - widthOf(text);
      const { align = "left" } = table.columns[index];
      const before = align === "left" ? 0 : align === "right" ? blank : Math.floor(blank / 2);
      return " ".repeat(before) + paint(text, tones[index]) + " ".repeat(blank - before);
    }).join(" ".repeat(GAP)).trimEnd();
  const lines = (cells: string[], tones: CellTone[]): string[] => {
    const parts = cells.map((text, index) => wrapped(text, widths[index]));
    const count = Math.max(1, ...parts.map(({ length }) => length));
    return Array.from({ length: count }, (_, at) => line(parts.map((part) => part[at] ?? ""), tones));
  };
  return [
    ...(table.caption === undefined ? [] : [paint(table.caption, "strong")]),
    ...lines(headers, headers.map(() => "strong")),
    paint(widths.map((width) => "\u2500".repeat(width)).join(" ".repeat(GAP)), "muted"),
    ...whole.flatMap((cells, row) => lines(cells, table.rows[row].map(cellTone))),
  ].join("\n");
}

/** Takes from the widest columns until all together fit, or none can give more. */
function narrowed(widths: number[], total: number): number[] {
  const left = [...widths];
  for (let over = left.reduce((sum, width) => sum + width, 0) - total; over > 0; over--) {
    const widest = Math.max(...left);
    if (widest <= KEPT_WIDTH) break;
    left[left.lastIndexOf(widest)]--;
  }
  return left;
}

/** Breaks a text between words into lines of at most `width` columns; a longer word is cut. */
function wrapped(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || widthOf(longer) <= width) {
      line = longer;
    } else {
      lines.push(fit(line, width));
      line = word;
    }
  }
  return [...lines, fit(line, width)];
}

/** Columns of the terminal that standard output is. */
function terminalWidth(): number {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : Infinity;
}

/**
 * Writes a table in Markdown (GitHub's form).
 *
 * @param table The table.
 * @returns Lines joined by line feeds, without one at the end.
 * @throws {RangeError} If a row has more or fewer cells than there are columns.
 */
export function markdownTable(table: Table): string {
  checkRows(table);
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  const rules = table.columns.map(({ align = "left" }) => ({ left: "---", right: "---:", center: ":---:" })[align]);
  const escape = (text: string): string => text.replaceAll(/[\\|<>*_`[\]]/g, (sign) => `\\${sign}`);
  return [
    ...(table.caption === undefined ? [] : [escape(table.caption), ""]),
    line(table.columns.map(({ header }) => escape(header))),
    line(rules),
    ...table.rows.map((row) =>
      line(row.map((cell) => {
        const text = escape(cellText(cell));
        return cellTone(cell) === "strong" && text.trim() !== "" ? `**${text}**` : text;
      }))
    ),
  ].join("\n");
}

/**
 * Checks that every row has a cell for every column.
 *
 * @param table The table.
 * @throws {RangeError} If one has not.
 */
export function checkRows(table: Table): void {
  const found = table.rows.findIndex((row) => row.length !== table.columns.length);
  if (found < 0) return;
  throw new RangeError(
    `Cannot write a table of ${table.columns.length} columns: row ${found} has ${
      table.rows[found].length
    } cells, wanted one a column`,
  );
}

/** Whether standard output is a terminal that may be coloured (no-color.org). */
function hasColor(): boolean {
  return !Deno.noColor && Deno.stdout.isTerminal();
}

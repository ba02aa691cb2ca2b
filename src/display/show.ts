/**
 * Showing values in a notebook, and their text elsewhere.
 *
 * @module
 */
import { Figure } from "./figure.ts";
import { describeFigure, type FigureSpec } from "./figure_spec.ts";
import { notebookDisplay } from "./notebook_display.ts";
import { markdownTable, type Table, terminalTable } from "./table.ts";

/** Time that the kernel needs to send an output before it reports the cell as done, in milliseconds (measured: 5 is enough). */
const SEND_MS = 15;

const DISPLAY = Symbol.for("Jupyter.display");

/**
 * Shows a value: in a notebook under the cell, elsewhere as text on standard output.
 *
 * The kernel can report a cell as done before its output is sent, and the output is then lost; so a cell ends with
 * `await show(value)`, which waits a moment.
 *
 * @param value Figure, document of a figure, table, or anything that the kernel can show.
 */
export async function show(value: unknown): Promise<void> {
  const notebook = notebookDisplay();
  if (notebook === undefined) return console.log(await textOf(value));
  await notebook.display(displayable(value));
  await new Promise((resolve) => setTimeout(resolve, SEND_MS));
}

/** Gives figures and tables, which are plain data, their way of being shown. */
function displayable(value: unknown): unknown {
  if (isSpec(value)) return new Figure(value);
  if (!isTable(value)) return value;
  return {
    [DISPLAY]: () => ({
      "text/markdown": markdownTable(value),
      "text/plain": terminalTable(value, { color: false }),
    }),
  };
}

async function textOf(value: unknown): Promise<unknown> {
  if (isTable(value)) return terminalTable(value);
  if (isSpec(value)) return describeFigure(value);
  // The text of a figure needs no drawing.
  if (value instanceof Figure) return value.toString();
  if (typeof value !== "object" || value === null || !(DISPLAY in value)) return value;
  const bundle = await (value as { [DISPLAY]: () => unknown })[DISPLAY]();
  return (bundle as Record<string, unknown>)["text/plain"] ?? value;
}

function isSpec(value: unknown): value is FigureSpec {
  return hasArrays(value, "data") && typeof (value as Partial<FigureSpec>).layout === "object";
}

function isTable(value: unknown): value is Table {
  return hasArrays(value, "columns", "rows");
}

function hasArrays(value: unknown, ...keys: string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  return keys.every((key) => Array.isArray((value as Record<string, unknown>)[key]));
}

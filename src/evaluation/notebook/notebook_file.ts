/**
 * Notebook files: read, checked, and written in one form that keeps differences between runs small.
 *
 * Source: nbformat 4.5, https://nbformat.readthedocs.io/en/latest/format_description.html.
 *
 * @module
 */
import { z } from "zod";
import { readJsonFile } from "../../checkpoint/json_file.ts";
import { type CellOutput } from "./cell_outputs.ts";
import { type JsonObject } from "./jupyter_message.ts";

/** A cell of a notebook, its source in one piece. */
export interface NotebookCell {
  /** Id within the notebook. */
  id: string;
  /** Kind. */
  type: "code" | "markdown" | "raw";
  /** Source. */
  source: string;
  /** Tags, for instance `raises-exception`. */
  tags: string[];
  /** Number of the execution, of code cells that were run. */
  executionCount: number | null;
  /** Outputs, of code cells. */
  outputs: CellOutput[];
}

/** A notebook. */
export interface Notebook {
  /** Path of its file. */
  path: string;
  /** Cells in order. */
  cells: NotebookCell[];
}

/** What every written notebook says of its kernel; versions are left out, since they change with the machine. */
const METADATA = {
  kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
  language_info: { file_extension: ".ts", mimetype: "text/x.typescript", name: "typescript" },
};

const lines = z.union([z.string(), z.array(z.string()).transform((parts) => parts.join(""))]);
const bundle = z.record(z.string(), z.unknown()).transform((data) =>
  Object.fromEntries(Object.entries(data).map(([type, value]) => [type, isLines(type, value) ? value.join("") : value]))
);
const metadata = z.record(z.string(), z.unknown()).default({});

const outputSchema = z.discriminatedUnion("output_type", [
  z.object({ output_type: z.literal("stream"), name: z.string(), text: lines }),
  z.object({ output_type: z.literal("display_data"), data: bundle, metadata }),
  z.object({
    output_type: z.literal("execute_result"),
    data: bundle,
    metadata,
    execution_count: z.number().nullable().default(null),
  }),
  z.object({ output_type: z.literal("error"), ename: z.string(), evalue: z.string(), traceback: z.array(z.string()) }),
]);

const notebookSchema = z.object({
  nbformat: z.literal(4),
  cells: z.array(z.object({
    id: z.string().optional(),
    cell_type: z.enum(["code", "markdown", "raw"]),
    source: lines,
    metadata: z.looseObject({ tags: z.array(z.string()).default([]) }).default({ tags: [] }),
    execution_count: z.number().nullable().default(null),
    outputs: z.array(outputSchema).default([]),
  })),
});

/**
 * Reads a notebook.
 *
 * @param path File in notebook format 4.
 * @returns The notebook; cells without an id get one from their place.
 * @throws {FileError} If the file is missing or holds something else.
 */
export async function readNotebook(path: string): Promise<Notebook> {
  const content = await readJsonFile(path, notebookSchema);
  const cells = content.cells.map((cell, index): NotebookCell => ({
    id: cell.id ?? `cell-${index + 1}`,
    type: cell.cell_type,
    source: cell.source,
    tags: cell.metadata.tags,
    executionCount: cell.execution_count,
    outputs: cell.outputs as CellOutput[],
  }));
  return { path, cells };
}

/**
 * Writes a notebook as text: keys in alphabetical order, one space of indent, texts as lists of lines, and no metadata
 * but kernel and tags.
 *
 * @param notebook The notebook.
 * @returns Content of its file, the same for the same cells.
 */
export function formatNotebook(notebook: Notebook): string {
  const cells = notebook.cells.map((cell) => {
    const common = {
      cell_type: cell.type,
      id: cell.id,
      metadata: cell.tags.length > 0 ? { tags: cell.tags } : {},
      source: splitLines(cell.source),
    };
    if (cell.type !== "code") return common;
    return { ...common, execution_count: cell.executionCount, outputs: mergeStreams(cell.outputs).map(outputJson) };
  });
  const content = { cells, metadata: METADATA, nbformat: 4, nbformat_minor: 5 };
  return `${JSON.stringify(sortKeys(content), undefined, 1)}\n`;
}

/**
 * Joins streams of the same name that follow each other.
 *
 * @param outputs Outputs of a cell.
 * @returns New outputs.
 */
export function mergeStreams(outputs: CellOutput[]): CellOutput[] {
  const merged: CellOutput[] = [];
  for (const output of outputs) {
    const last = merged.at(-1);
    if (output.output_type === "stream" && last?.output_type === "stream" && last.name === output.name) {
      merged[merged.length - 1] = { ...last, text: last.text + output.text };
    } else merged.push(output);
  }
  return merged;
}

function outputJson(output: CellOutput): JsonObject {
  if (output.output_type === "stream") return { ...output, text: splitLines(output.text) };
  if (output.output_type === "error") return output;
  const data = Object.entries(output.data).map(([type, value]) =>
    [type, isText(type) && typeof value === "string" ? splitLines(value) : value] as const
  );
  return { ...output, data: Object.fromEntries(data) };
}

function splitLines(text: string): string[] {
  return text === "" ? [] : text.split(/(?<=\n)/);
}

/** Whether a kind of output is text, and not JSON or the text form of bytes. */
function isText(type: string): boolean {
  return type.startsWith("text/") || type === "image/svg+xml" || type === "application/javascript";
}

function isLines(type: string, value: unknown): value is string[] {
  return isText(type) && Array.isArray(value) && value.every((part) => typeof part === "string");
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}

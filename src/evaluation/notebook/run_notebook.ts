/**
 * Runs the cells of a notebook in a kernel of its own.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { type CellOutput } from "./cell_outputs.ts";
import { KernelClient } from "./kernel_client.ts";
import { type Notebook, type NotebookCell, readNotebook } from "./notebook_file.ts";

/** Tag of a cell that is meant to end in an error. */
const MAY_FAIL = "raises-exception";

/** Options of {@linkcode runNotebook}. */
export interface RunNotebookOptions {
  /** Time that each cell may take, in milliseconds; default 10 minutes. */
  cellLimitMs?: number;
  /** Variables of the kernel on top of this process's own. */
  env?: Record<string, string>;
  /** Called before each code cell with its number from 1 and how many there are. */
  onCell?: (number: number, total: number) => void;
  /** Stops before the next cell. */
  signal?: AbortSignal;
}

/** What a run gave. */
export interface NotebookRun {
  /** The notebook with the outputs of this run; cells after a failure keep none. */
  notebook: Notebook;
  /** The cell that ended the run with an error, where one did. */
  failure?: NotebookFailure;
}

/** A cell that failed. */
export interface NotebookFailure {
  /** Number of the cell among all cells, from 1. */
  cell: number;
  /** Name and message of the error. */
  message: string;
}

/**
 * Runs a notebook from its first cell to its last, or to the first error outside cells with the tag `raises-exception`.
 *
 * The kernel works in the notebook's folder, without colours. The file is not changed.
 *
 * @param path File of the notebook.
 * @param options Limits and environment.
 * @returns The notebook with its outputs.
 * @throws {FileError} If the file is no notebook.
 * @throws {KernelError} If the kernel does not start, dies, or a cell runs past its limit.
 */
export async function runNotebook(path: string, options: RunNotebookOptions = {}): Promise<NotebookRun> {
  const { cellLimitMs = 600_000, env = {}, onCell, signal } = options;
  const { cells } = await readNotebook(path);
  await using kernel = await KernelClient.start({ cwd: resolve(dirname(path)), env });
  const codeCells = cells.filter(hasCode).length;
  const done: NotebookCell[] = cells.map((cell) => ({ ...cell, executionCount: null, outputs: [] }));
  let number = 0;
  for (const [index, cell] of done.entries()) {
    if (!hasCode(cell)) continue;
    signal?.throwIfAborted();
    onCell?.(++number, codeCells);
    const { outputs, executionCount, failed } = await kernel.execute(cell.source, cellLimitMs);
    cell.outputs = outputs;
    cell.executionCount = executionCount;
    const mayFail = cell.tags.includes(MAY_FAIL);
    if (failed === mayFail) continue;
    const message = failed ? errorOf(outputs) : `the tag ${MAY_FAIL} wants an error, and the cell ran without one`;
    return { notebook: { path, cells: done }, failure: { cell: index + 1, message } };
  }
  return { notebook: { path, cells: done } };
}

function hasCode(cell: NotebookCell): boolean {
  return cell.type === "code" && cell.source.trim() !== "";
}

function errorOf(outputs: CellOutput[]): string {
  const error = outputs.findLast((output) => output.output_type === "error");
  return error === undefined ? "the cell failed without saying why" : `${error.ename}: ${error.evalue}`;
}

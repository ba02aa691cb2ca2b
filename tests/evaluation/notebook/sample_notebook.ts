/**
 * Small notebooks in a folder of their own.
 *
 * @module
 */
import { join } from "node:path";

/** A cell: its source, or its source with tags. */
export type SampleCell = string | { source: string; tags: string[] };

/**
 * Writes a notebook of code cells as Jupyter writes it, and removes it after use.
 *
 * @param cells Code cells.
 * @param use Gets the path of the file.
 */
export async function withNotebook(cells: SampleCell[], use: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "ace-notebook-" });
  try {
    const path = join(folder, "sample.ipynb");
    const content = {
      cells: cells.map((cell, index) => ({
        cell_type: "code",
        execution_count: null,
        id: `c${index}`,
        metadata: typeof cell === "string" ? { scrolled: true } : { tags: cell.tags },
        outputs: [],
        source: (typeof cell === "string" ? cell : cell.source).split(/(?<=\n)/),
      })),
      metadata: { kernelspec: { name: "deno" }, language_info: { version: "0.0.1" } },
      nbformat: 4,
      nbformat_minor: 5,
    };
    await Deno.writeTextFile(path, JSON.stringify(content));
    await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

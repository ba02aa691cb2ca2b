/**
 * The kernel's display, where the program runs in a notebook.
 *
 * @module
 */

/** What this project uses of `Deno.jupyter`. */
export interface NotebookDisplay {
  /** Shows a value, or replaces what was shown under `display_id`. */
  display(value: unknown, options?: { raw?: boolean; display_id?: string; update?: boolean }): Promise<void>;
}

/**
 * Finds the display of the notebook.
 *
 * @returns The display, or undefined outside a notebook.
 */
export function notebookDisplay(): NotebookDisplay | undefined {
  try {
    // Reading the property throws outside the kernel.
    return (Deno as unknown as { jupyter?: NotebookDisplay }).jupyter;
  } catch {
    return undefined;
  }
}

/**
 * Collects the outputs of cells from the messages of a kernel.
 *
 * @module
 */
import { type JsonObject, type JupyterMessage } from "./jupyter_message.ts";

/** Outputs of a cell as a notebook file holds them (nbformat 4), texts in one piece. */
export type CellOutput =
  | { output_type: "stream"; name: string; text: string }
  | { output_type: "display_data"; data: JsonObject; metadata: JsonObject }
  | { output_type: "execute_result"; data: JsonObject; metadata: JsonObject; execution_count: number | null }
  | { output_type: "error"; ename: string; evalue: string; traceback: string[] };

/** The outputs of one session; displays may be replaced by later cells. */
export class OutputCollector {
  readonly #displays = new Map<string, { data: JsonObject; metadata: JsonObject }[]>();
  #outputs: CellOutput[] = [];
  #clearNext = false;

  /**
   * Starts a cell.
   *
   * @returns The list that its outputs will be added to.
   */
  startCell(): CellOutput[] {
    this.#clearNext = false;
    this.#outputs = [];
    return this.#outputs;
  }

  /**
   * Takes a message; kinds without an output are passed over.
   *
   * @param message A message of the kernel's broadcast channel.
   */
  add(message: JupyterMessage): void {
    const { type, content } = message;
    if (type === "update_display_data") return this.#update(content);
    if (type === "clear_output") {
      if (content.wait === true) this.#clearNext = true;
      else this.#outputs.length = 0;
      return;
    }
    const output = outputOf(type, content);
    if (output === undefined) return;
    if (this.#clearNext) this.#outputs.length = 0;
    this.#clearNext = false;
    const last = this.#outputs.at(-1);
    if (output.output_type === "stream" && last?.output_type === "stream" && last.name === output.name) {
      last.text += output.text;
      return;
    }
    this.#outputs.push(output);
    const id = displayId(content);
    if (id !== undefined && "data" in output) this.#displays.set(id, [...this.#displays.get(id) ?? [], output]);
  }

  #update(content: JsonObject): void {
    const id = displayId(content);
    for (const shown of id === undefined ? [] : this.#displays.get(id) ?? []) {
      shown.data = object(content.data);
      shown.metadata = object(content.metadata);
    }
  }
}

function outputOf(type: string, content: JsonObject): CellOutput | undefined {
  const shown = { data: object(content.data), metadata: object(content.metadata) };
  switch (type) {
    case "stream":
      return { output_type: type, name: String(content.name), text: String(content.text) };
    case "display_data":
      return { output_type: type, ...shown };
    case "execute_result":
      return { output_type: type, ...shown, execution_count: Number(content.execution_count) };
    case "error":
      return {
        output_type: type,
        ename: String(content.ename),
        evalue: String(content.evalue),
        traceback: Array.isArray(content.traceback) ? content.traceback.map(String) : [],
      };
  }
}

function displayId(content: JsonObject): string | undefined {
  const id = object(content.transient).display_id;
  return typeof id === "string" ? id : undefined;
}

function object(value: unknown): JsonObject {
  return typeof value === "object" && value !== null ? value as JsonObject : {};
}

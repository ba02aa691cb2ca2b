/**
 * Compares the outputs of two runs of a notebook, leaving out what differs from machine to machine.
 *
 * @module
 */
import { type CellOutput } from "./cell_outputs.ts";
import { type JsonObject } from "./jupyter_message.ts";
import { mergeStreams, type Notebook } from "./notebook_file.ts";

/** Relative difference that four significant digits cannot show. */
const TOLERANCE = 5e-4;

/** What changes from run to run, and what stands for it. */
const CHANGING: [RegExp, string][] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "<id>"],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?/g, "<time>"],
  [/\b\d+ h \d+ min\b|\b\d+ min \d+ s\b|\b\d+(\.\d+)? ?(ms|s|min|h|seconds|minutes)\b/g, "<time>"],
  [/\b(adapter|device|gpu)(\W{1,4}).*/gi, "$1$2<adapter>"],
  [/\b(llvmpipe|SwiftShader|NVIDIA|GeForce|Radeon|AMD|Intel|Apple M\d)[^\n,;]*/g, "<adapter>"],
];

/** Kinds of output that are drawn from another kind of the same output, and that kind. */
const DRAWN_FROM: Record<string, string> = { "image/svg+xml": "application/vnd.plotly.v1+json" };

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/**
 * Compares a run with the outputs that were kept.
 *
 * @param run Notebook after a run.
 * @param kept The same notebook as it was committed.
 * @returns One line a difference; none where the outputs agree.
 */
export function compareOutputs(run: Notebook, kept: Notebook): string[] {
  if (run.cells.length !== kept.cells.length) {
    return [`found ${run.cells.length} cells, wanted ${kept.cells.length}`];
  }
  return run.cells.flatMap((cell, index) => {
    const [found, wanted] = [mergeStreams(cell.outputs), mergeStreams(kept.cells[index].outputs)];
    const where = `cell ${index + 1}`;
    if (found.length !== wanted.length) {
      return [`${where}: found ${found.length} outputs, wanted ${wanted.length}`];
    }
    return found.flatMap((output, at) => compareOutput(output, wanted[at], `${where}, output ${at + 1}`));
  });
}

function compareOutput(found: CellOutput, wanted: CellOutput, where: string): string[] {
  const [one, other] = [parts(found), parts(wanted)];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((key) => {
    const source = DRAWN_FROM[key];
    if (source !== undefined && source in one && source in other) return [];
    return agree(one[key], other[key])
      ? []
      : [`${where}, ${key}: found ${quote(one[key])}, wanted ${quote(other[key])}`];
  });
}

/** The parts of an output that are compared; stacks of errors name files and lines of the machine. */
function parts(output: CellOutput): JsonObject {
  switch (output.output_type) {
    case "stream":
      return { [output.name]: output.text };
    case "error":
      return { error: `${output.ename}: ${output.evalue}` };
    default:
      return output.data;
  }
}

/**
 * Says whether two values of outputs are the same but for times, names of adapters, and digits past the fourth.
 *
 * @param found Text, number, or JSON of them.
 * @param wanted What it is compared with.
 * @returns Whether they agree.
 */
export function agree(found: unknown, wanted: unknown): boolean {
  if (typeof found === "number" && typeof wanted === "number") return sameNumber(found, wanted, false);
  if (typeof found === "string" && typeof wanted === "string") return sameText(stable(found), stable(wanted));
  if (typeof found !== "object" || typeof wanted !== "object" || found === null || wanted === null) {
    return Object.is(found, wanted);
  }
  const [one, other] = [found as JsonObject, wanted as JsonObject];
  const keys = Object.keys(one);
  if (Array.isArray(found) !== Array.isArray(wanted) || keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => key in other && agree(one[key], other[key]));
}

function stable(text: string): string {
  return CHANGING.reduce((rest, [pattern, name]) => rest.replace(pattern, name), text).replaceAll("\r\n", "\n");
}

function sameText(found: string, wanted: string): boolean {
  if (found.replace(NUMBER, "#") !== wanted.replace(NUMBER, "#")) return false;
  const [one, other] = [found.match(NUMBER) ?? [], wanted.match(NUMBER) ?? []];
  return one.every((text, at) => sameNumber(Number(text), Number(other[at]), isWhole(text) && isWhole(other[at])));
}

/** Whole numbers count or name something, and must be the same. */
function isWhole(text: string): boolean {
  return /^-?\d+$/.test(text);
}

function sameNumber(found: number, wanted: number, exact: boolean): boolean {
  if (exact || Object.is(found, wanted)) return found === wanted || Object.is(found, wanted);
  return Math.abs(found - wanted) <= TOLERANCE * Math.max(Math.abs(found), Math.abs(wanted));
}

function quote(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}...` : text);
}

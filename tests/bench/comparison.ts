/**
 * What the bench reports: comparisons with their goals, and the table of them.
 *
 * @module
 */
import { type Cell, markdownTable, type Table } from "../../src/display/table.ts";

/** A bound that a comparison should keep. */
export interface Goal {
  /** Which side the value must lie on. */
  readonly side: "at least" | "at most";
  /** The bound. */
  readonly value: number;
}

/** One line of the bench. */
export interface Comparison {
  /** Group, as `--only` names it. */
  readonly bench: string;
  /** What is measured. */
  readonly what: string;
  /** Our side, in words. */
  readonly ours: string;
  /** What it is compared with, in words. */
  readonly against: string;
  /** The ratio or count. */
  readonly value: number;
  /** How the value is written: `8.2 x`, `21 %`, `9.1 us`, a plain number. */
  readonly unit: "x" | "%" | "us" | "";
  /** Bound, if one was set. */
  readonly goal?: Goal;
}

/** Machine on which the bench ran. */
export interface BenchMachine {
  /** Adapter. */
  readonly adapter: string;
  /** Deno, system and cores. */
  readonly runtime: string;
  /** Day, ISO 8601. */
  readonly date: string;
}

/** Everything that a run of the bench found. */
export interface BenchResult {
  /** Where and when. */
  readonly machine: BenchMachine;
  /** Lines of the table. */
  readonly comparisons: readonly Comparison[];
}

/** Whether a comparison keeps its goal; null if it has none. */
export function meetsGoal({ value, goal }: Comparison): boolean | null {
  if (!goal) return null;
  return goal.side === "at least" ? value >= goal.value : value <= goal.value;
}

/** Writes a value with its unit: three digits, whole numbers as they are. */
export function formatValue(value: number, unit: Comparison["unit"]): string {
  const digits = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
  return unit === "" ? digits : `${digits} ${unit}`;
}

function verdict(comparison: Comparison): Cell {
  const met = meetsGoal(comparison);
  if (met === null) return "";
  return met ? { text: "met", tone: "good" } : { text: "missed", tone: "bad" };
}

/** The comparisons as a table. */
export function benchTable({ machine, comparisons }: BenchResult): Table {
  return {
    caption: `${machine.adapter}; ${machine.runtime}; ${machine.date}`,
    columns: [
      { header: "what", maxWidth: 100 },
      { header: "ours", maxWidth: 100 },
      { header: "against", maxWidth: 100 },
      { header: "value", align: "right" },
      { header: "goal", align: "right" },
      { header: "" },
    ],
    rows: comparisons.map((comparison) => {
      const { what, ours, against, value, unit, goal } = comparison;
      const bound = goal ? `${goal.side} ${formatValue(goal.value, unit)}` : "";
      return [what, ours, against, formatValue(value, unit), bound, verdict(comparison)];
    }),
  };
}

/** The result as Markdown, for the README. */
export function benchMarkdown(result: BenchResult): string {
  return markdownTable(benchTable(result));
}

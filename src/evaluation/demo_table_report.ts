import type { Cell, Table } from "../display/table.ts";
import { COLUMN_NAMES } from "./columns.ts";
import type { DemoSummary, SummaryColumn } from "./demo_summary.ts";

/**
 * Lays summaries out as one table: a block of rows a model, a column a configuration.
 *
 * @param summaries What {@linkcode summarizeDemo} gives.
 * @returns Means of the first seed, with the range over seeds in brackets where there are several.
 */
export function demoTable(summaries: readonly DemoSummary[]): Table {
  const models = [...new Set(summaries.map(({ model }) => model))];
  const names = [...new Set(summaries.map(({ configuration }) => configuration))];
  const rows = models.flatMap((model) => {
    const own = names.map((name) =>
      summaries.find((summary) => summary.model === model && summary.configuration === name)
    );
    const any = own.find((summary) => summary !== undefined)!;
    return COLUMN_NAMES.map((column, i): Cell[] => {
      const { label, unit, count } = any.columns[column];
      return [
        { text: i === 0 ? model : "", tone: "strong" },
        label,
        { text: `${count} ${unit}${count === 1 ? "" : "s"}`, tone: "muted" },
        ...own.map((summary) => summary ? cell(summary.columns[column], summary.seeds.length) : ""),
      ];
    });
  });
  return {
    columns: [
      { header: "model" },
      { header: "column" },
      { header: "count", align: "right" },
      ...names.map((header) => ({ header, align: "right" as const })),
    ],
    rows,
  };
}

/**
 * Says what the table leaves out: sizes of the splits, written layers, failed edits.
 *
 * @param summaries What {@linkcode summarizeDemo} gives.
 * @returns One line a fact.
 */
export function demoNotes(summaries: readonly DemoSummary[]): string[] {
  return summaries.flatMap(({ model, configuration, seeds, cases, counts, layers, failures }) => {
    const name = `${model}, ${configuration}`;
    const written = Object.entries(layers).map(([run, times]) => `${run || "none"} (${times})`).join("; ");
    const lines = [`${name}: ${cases} edits, seeds ${seeds.join(", ")}; layers ${written}`];
    if (counts) {
      lines.push(
        `${name}: support through ${counts.supportHeads} heads; preserved ${counts.preservedSubjects} subjects and ` +
          `${counts.preservedChains} chains; judged ${counts.chains} chains through other heads`,
      );
    }
    for (const [message, times] of Object.entries(failures)) lines.push(`${name}: ${times} failed: ${message}`);
    return lines;
  });
}

function cell({ mean, count, least, greatest }: SummaryColumn, seeds: number): string {
  if (count === 0) return "-";
  return seeds === 1 ? mean.toFixed(3) : `${mean.toFixed(3)} [${least.toFixed(3)}, ${greatest.toFixed(3)}]`;
}

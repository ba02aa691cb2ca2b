import { type Column, COLUMN_NAMES, type ColumnName, columns } from "./columns.ts";
import { DEMO_CONFIGURATIONS, type DemoRow } from "./demo_row.ts";
import type { SplitCounts } from "./split.ts";

/** One column of a configuration over seeds. */
export interface SummaryColumn extends Column {
  /** Least mean of a seed. */
  readonly least: number;
  /** Greatest mean of a seed. */
  readonly greatest: number;
}

/** What one configuration reached on one model. */
export interface DemoSummary {
  /** Name of the model's folder. */
  readonly model: string;
  /** Name of the configuration. */
  readonly configuration: string;
  /** Seeds, ascending. */
  readonly seeds: readonly number[];
  /** Edits in all, failed ones included. */
  readonly cases: number;
  /** Columns: mean and count of the first seed, range over all seeds. */
  readonly columns: Readonly<Record<ColumnName, SummaryColumn>>;
  /** Sizes of the splits of the first seed, summed over cases; null where the method tells nothing. */
  readonly counts: SplitCounts | null;
  /** How often each run of layers was written. */
  readonly layers: Readonly<Record<string, number>>;
  /** Failed edits by message. */
  readonly failures: Readonly<Record<string, number>>;
}

/**
 * Adds rows up by model and configuration.
 *
 * @param rows Rows in any order.
 * @returns One summary for each model, in the order in which they first occur, and configuration, in the suite's order.
 */
export function summarizeDemo(rows: readonly DemoRow[]): DemoSummary[] {
  const models = [...new Set(rows.map(({ model }) => model))];
  const groups = models.flatMap((model) =>
    DEMO_CONFIGURATIONS.map(({ name }) => rows.filter((row) => row.model === model && row.configuration === name))
  );
  return groups.filter((group) => group.length > 0).map((group) => {
    const bySeed = [...Map.groupBy(group, ({ seed }) => seed)].sort(([a], [b]) => a - b);
    const cells = bySeed.map(([, own]) => columns(own));
    const [, first] = bySeed[0]!;
    return {
      model: group[0]!.model,
      configuration: group[0]!.configuration,
      seeds: bySeed.map(([seed]) => seed),
      cases: group.length,
      columns: Object.fromEntries(COLUMN_NAMES.map((name) => {
        const means = cells.map((cell) => cell[name].mean);
        return [name, { ...cells[0]![name], least: Math.min(...means), greatest: Math.max(...means) }];
      })) as Record<ColumnName, SummaryColumn>,
      counts: sumCounts(first.map(({ counts }) => counts)),
      layers: tally(group.map(({ layers }) => layers.join(", "))),
      failures: tally(group.flatMap(({ failure }) => failure === null ? [] : [failure])),
    };
  });
}

function sumCounts(parts: readonly (SplitCounts | null)[]): SplitCounts | null {
  const known = parts.filter((part) => part !== null);
  if (known.length === 0) return null;
  return known.reduce((sum, part) =>
    Object.fromEntries(
      Object.entries(sum).map(([name, value]) => [name, value + part[name as keyof SplitCounts]]),
    ) as unknown as SplitCounts
  );
}

function tally(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}

import { type Column, COLUMN_NAMES, type ColumnName, columns } from "./columns.ts";
import { DEMO_CONFIGURATIONS, demoKey, type DemoRow } from "./demo_row.ts";
import type { SplitCounts } from "./split.ts";

/** One column of a configuration over seeds. */
export interface SummaryColumn extends Column {
  /** Least mean of a seed in which anything counted. */
  readonly least: number;
  /** Greatest mean of such a seed. */
  readonly greatest: number;
}

/** What one configuration reached on one model. */
export interface DemoSummary {
  /** Name of the model's folder, with the beginning of its hash where another model has the same name. */
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
 * Adds rows up by model and configuration; models are told apart by their weights.
 *
 * @param all Rows in any order; of rows with one key the first counts.
 * @returns One summary for each model, in the order in which they first occur, and configuration, in the suite's order.
 */
export function summarizeDemo(all: readonly DemoRow[]): DemoSummary[] {
  const rows = [...Map.groupBy(all, demoKey).values()].map(([row]) => row!);
  const models = new Map(rows.map(({ modelHash, model }) => [modelHash, model]));
  const groups = [...models.keys()].flatMap((hash) =>
    DEMO_CONFIGURATIONS.map(({ name }) => rows.filter((row) => row.modelHash === hash && row.configuration === name))
  );
  return groups.filter((group) => group.length > 0).map((group) => {
    const bySeed = [...Map.groupBy(group, ({ seed }) => seed)].sort(([a], [b]) => a - b);
    const cells = bySeed.map(([, own]) => columns(own));
    const [, first] = bySeed[0]!;
    return {
      model: nameOf(models, group[0]!.modelHash),
      configuration: group[0]!.configuration,
      seeds: bySeed.map(([seed]) => seed),
      cases: group.length,
      columns: Object.fromEntries(COLUMN_NAMES.map((name) => {
        const means = cells.filter((cell) => cell[name].count > 0).map((cell) => cell[name].mean);
        return [name, { ...cells[0]![name], least: Math.min(...means), greatest: Math.max(...means) }];
      })) as Record<ColumnName, SummaryColumn>,
      counts: sumCounts(first.map(({ counts }) => counts)),
      layers: tally(group.map(({ layers }) => layers.join(", "))),
      failures: tally(group.flatMap(({ failure }) => failure === null ? [] : [failure])),
    };
  });
}

/** Name of a model, told apart from others of the same name. */
function nameOf(models: ReadonlyMap<string, string>, hash: string): string {
  const name = models.get(hash)!;
  const alike = [...models.values()].filter((other) => other === name);
  return alike.length > 1 ? `${name} (${hash.slice(0, 8)})` : name;
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

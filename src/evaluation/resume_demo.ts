import type { Model } from "../model/model.ts";
import { demoKey, type DemoRow } from "./demo_row.ts";
import { type DemoRunOptions, runDemo } from "./demo_runner.ts";
import type { DemoWorld } from "./demo_world.ts";
import type { ResultsFile } from "./results_file.ts";

/**
 * Runs what a results file lacks of the demo suite; every row is in the file before the next edit starts.
 *
 * @param model Unedited model.
 * @param world Facts, cases and documents.
 * @param results Where rows are kept; rows of other models, seeds and settings stay as they are.
 * @param options What to run; rows that are there are left out.
 * @param onRow Called after a row was kept.
 * @returns All rows that the options ask for, those that were there first.
 */
export async function resumeDemo(
  model: Model,
  world: DemoWorld,
  results: ResultsFile<DemoRow>,
  options: Omit<DemoRunOptions, "isDone"> = {},
  onRow: (row: DemoRow) => void = () => {},
): Promise<DemoRow[]> {
  const kept = new Map(results.rows.map((row) => [demoKey(row), row]));
  const rows: DemoRow[] = [];
  const isDone: DemoRunOptions["isDone"] = (key) => {
    const row = kept.get(demoKey(key));
    if (row) rows.push(row);
    return row !== undefined;
  };
  for await (const row of runDemo(model, world, { ...options, isDone })) {
    await results.append(row);
    rows.push(row);
    onRow(row);
  }
  return rows;
}

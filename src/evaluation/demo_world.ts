import { join } from "node:path";
import { MOMENT_DOCUMENTS } from "../editing/defaults.ts";
import { readCorpus } from "../editing/corpus.ts";
import { type Facts, loadFacts } from "../editing/facts.ts";
import { type DemoCase, demoCases } from "./demo_suite.ts";
import { loadMquake } from "./mquake.ts";

/** What the demo suite stands on: facts, cases over them, and text for second moments. */
export interface DemoWorld {
  /** Facts file. */
  readonly facts: Facts;
  /** Two-hop cases that edit the second hop, answered by the model or not. */
  readonly cases: readonly DemoCase[];
  /** Documents that second moments are taken over. */
  readonly documents: readonly string[];
}

/**
 * Loads `world.json`, `mquake.json` and `corpus.txt` of a folder.
 *
 * @param dir Folder of the world.
 * @returns Facts, cases and documents.
 * @throws {FileError} If a file is missing or has another form; {TypeError} if cases and facts do not fit together.
 */
export async function loadDemoWorld(dir: string): Promise<DemoWorld> {
  const facts = await loadFacts(join(dir, "world.json"));
  const cases = demoCases(await loadMquake(join(dir, "mquake.json")), facts);
  return { facts, cases, documents: await readCorpus(join(dir, "corpus.txt"), MOMENT_DOCUMENTS) };
}

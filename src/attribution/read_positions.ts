import { gatherRows } from "../../kernels/gather_rows.ts";
import { Temps } from "../model/hooks.ts";
import type { ScoredPrompt } from "./scored_prompt.ts";

/**
 * Reads kept activations at chosen positions, all in one wait.
 *
 * @param hooks Names of kept activations [1, pos, ...].
 * @param positions Positions, in the order in which their rows come out.
 * @returns One array a hook, [positions, width] row-major.
 */
export async function readAt(
  prompt: ScoredPrompt,
  hooks: readonly string[],
  positions: readonly number[],
): Promise<Float32Array[]> {
  if (positions.length === 0) return hooks.map(() => new Float32Array(0));
  const { captures: { cache }, pos, model } = prompt;
  const { stream } = model.gpu;
  using temps = new Temps();
  using index = model.uploadIndex(positions, "positions");
  const rows = hooks.map((hook) => {
    const kept = cache.get(hook);
    return temps.add(gatherRows(stream, { x: kept.view([pos, kept.length / pos]), index }));
  });
  return await stream.read(...rows) as Float32Array[];
}

import { sideBySide } from "../gpu/side_by_side.ts";
import type { EditSession } from "./session.ts";
import { solveSpread } from "./solve_spread.ts";
import type { SearchSite } from "./target_search.ts";
import { type Contexts, currentValues, takeKeys, type TokenRequest } from "./targets.ts";

/** What is spread over layers, and how. */
export interface Spread {
  /** Output that the targets are of, at the last layer. */
  site: SearchSite;
  /** Wanted outputs, [requests, dModel]. */
  target: Float64Array;
  /** What the residual is divided by where this many layers are left, the present one included. */
  divisor: (layersLeft: number) => number;
  /** Weight of the second moments. */
  lambda: number;
}

/**
 * Writes layer by layer towards wanted outputs at the last one: take keys, read what is still missing on the model that
 * earlier writes left, solve, write (the loop that MEMIT, PMET and ACE's paper mode share).
 *
 * @param layers Edited layers, ascending.
 */
export async function writeSpread(
  session: EditSession,
  requests: readonly TokenRequest[],
  contexts: Contexts,
  layers: readonly number[],
  { site, target, divisor: divide, lambda }: Spread,
): Promise<void> {
  const z = layers.at(-1)!;
  for (const [i, layer] of layers.entries()) {
    session.report(`write layer ${layer}`, i, layers.length);
    const [keys, current] = await sideBySide([
      takeKeys(session, requests, contexts, layer),
      currentValues(session, requests, site, z),
    ]);
    const divisor = divide(layers.length - i);
    session.write(await solveSpread(session, { layer, keys, current, target, divisor }, lambda));
  }
}

/**
 * The forward pass of every architecture: embed, blocks, final norm, unembed.
 *
 * @module
 */
import { add } from "../../kernels/add.ts";
import { embedding } from "../../kernels/embedding.ts";
import { gatherRows } from "../../kernels/gather_rows.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { block, type PassContext } from "./block.ts";
import { Temps } from "./hooks.ts";
import { linear } from "./linear.ts";
import { norm } from "./norm.ts";

/** Which rows of the result are turned into logits: all, none, or flat row numbers u32 [n]. */
export type LogitRows = "all" | "none" | Tensor;

/**
 * Embeds tokens and runs every block.
 *
 * @param ids Tokens, u32 [batch * queries].
 * @param until Runs blocks below this one only. Default: all.
 * @returns The last residual [batch * queries, dModel]; the caller owns it unless a hook or the tape holds it.
 */
export function residual(pass: PassContext, ids: Tensor, until: number = pass.config.nLayers): Tensor {
  const { stream, rows, config, taps } = pass;
  const wide = [rows.batch, rows.queries, config.dModel];
  const x = embedding(stream, { weight: pass.weights.get("embed.W_E"), ids });
  taps?.at("hook_embed", x, wide);
  if (config.rotary) return blocks(pass, x, 0, until);
  using temps = new Temps((t) => taps?.holds(t) ?? false);
  temps.add(x);
  const position = temps.add(embedding(stream, { weight: pass.weights.get("pos_embed.W_pos"), ids: rows.position }));
  taps?.at("hook_pos_embed", position, wide);
  return blocks(pass, add(stream, { a: x, b: position }), 0, until);
}

/**
 * Runs blocks `from` to the one before `until` on `x` [rows, dModel]; takes `x` over.
 *
 * @returns The last residual; `x` itself if there is no block left.
 */
export function blocks(pass: PassContext, x: Tensor, from: number, until: number = pass.config.nLayers): Tensor {
  for (let layer = from; layer < until; layer++) {
    // What a hook or the tape holds lives on; all else goes, also when a hook fails.
    using temps = new Temps((t) => (pass.taps?.holds(t) ?? false) || (pass.tape?.holds(t) ?? false));
    x = block(pass, layer, temps.add(x));
  }
  return x;
}

/**
 * Final norm and unembedding of the chosen rows of the last residual [rows, dModel].
 *
 * @returns Logits [n, vocab].
 */
export function unembed(pass: PassContext, last: Tensor, at: Exclude<LogitRows, "none">): Tensor {
  const { stream, weights, taps } = pass;
  using temps = new Temps((t) => taps?.holds(t) ?? false);
  // Hooks of the final norm show every position; without them only the chosen rows are normed.
  const names = ["hook_scale", "hook_unit", "hook_normalized"].map((hook) => `ln_final.${hook}`);
  const gatherFirst = at !== "all" && !taps?.wants(...names);
  const rows = gatherFirst ? temps.add(gatherRows(stream, { x: last, index: at })) : last;
  const normed = temps.add(norm(pass, "ln_final", rows));
  const chosen = at === "all" || gatherFirst ? normed : temps.add(gatherRows(stream, { x: normed, index: at }));
  return linear(stream, weights, "unembed.W_U", chosen);
}

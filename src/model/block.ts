/**
 * One transformer block, for every architecture of the table: attention half, MLP half, and how they join.
 *
 * Shapes: rows = batch * queries. x [rows, dModel]; q [rows, nHeads * dHead]; k, v [rows, nKvHeads * dHead].
 *
 * @module
 */
import { add } from "../../kernels/add.ts";
import { attention } from "../../kernels/attention.ts";
import { attentionMix } from "../../kernels/attention_mix.ts";
import { attentionPattern } from "../../kernels/attention_pattern.ts";
import { cacheRows } from "../../kernels/cache_rows.ts";
import { gelu } from "../../kernels/gelu.ts";
import { rmsNorm } from "../../kernels/rms_norm.ts";
import { rotary, type RotaryOutput } from "../../kernels/rotary.ts";
import { siluGated } from "../../kernels/silu_gated.ts";
import type { Stream } from "../gpu/stream.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { type Architecture, type ModelConfig } from "./architectures.ts";
import { type Taps, Temps } from "./hooks.ts";
import { linear } from "./linear.ts";
import { norm } from "./norm.ts";
import type { Rows } from "./rows.ts";
import type { Tape } from "./tape.ts";
import type { Weights } from "./weights.ts";

/** Keys and values of a layer for all positions: [batch, keys, nKvHeads, dHead] each. */
export interface KeyValues {
  /** Keys after norm and rotation. */
  k: Tensor;
  /** Values. */
  v: Tensor;
}

/** Everything a block needs besides its input. */
export interface PassContext {
  /** Where dispatches are recorded. */
  stream: Stream;
  /** Sizes. */
  config: ModelConfig;
  /** Record of the family. */
  architecture: Architecture;
  /** Weights by TransformerLens name. */
  weights: Weights;
  /** Rotary table [positions, dims / 2, 2]; null where positions are learned. */
  rotaryTable: Tensor | null;
  /** Computed positions. */
  rows: Rows;
  /** Hooks, if any. */
  taps: Taps | null;
  /** Keys and values of earlier positions by layer, written at the computed ones; absent: all positions are computed. */
  caches?: readonly (KeyValues | undefined)[];
  /** Records what the backward pass needs. */
  tape?: Tape;
}

/** Runs block `layer` on `x` [rows, dModel]; returns the residual after it, a new tensor. */
export function block(pass: PassContext, layer: number, x: Tensor): Tensor {
  const { stream, taps, architecture, rows, config } = pass;
  const name = `blocks.${layer}.`;
  const wide = [rows.batch, rows.queries, config.dModel];
  taps?.at(name + "hook_resid_pre", x, wide);
  using temps = blockTemps(pass);
  pass.tape?.note(layer, { residPre: x });
  const normed = temps.add(norm(pass, name + "ln1", x));
  const attnOut = temps.add(attentionHalf(pass, layer, normed));
  if (config.parallel) {
    const mlpInput = architecture.mlpNorm ? temps.add(norm(pass, name + "ln2", x)) : normed;
    const mlpOut = temps.add(mlpHalf(pass, layer, mlpInput));
    const sum = temps.add(add(stream, { a: x, b: attnOut }));
    const post = add(stream, { a: sum, b: mlpOut });
    return taps?.at(name + "hook_resid_post", post, wide) ?? post;
  }
  const mid = temps.add(add(stream, { a: x, b: attnOut }));
  taps?.at(name + "hook_resid_mid", mid, wide);
  return sequentialTail(pass, layer, mid);
}

/** The second half of a sequential block: MLP on the residual after attention [rows, dModel], and the sum. */
export function sequentialTail(pass: PassContext, layer: number, mid: Tensor): Tensor {
  const name = `blocks.${layer}.`;
  using temps = blockTemps(pass);
  pass.tape?.note(layer, { residMid: mid });
  const normed = temps.add(norm(pass, name + "ln2", mid));
  const mlpOut = temps.add(mlpHalf(pass, layer, normed));
  const post = add(pass.stream, { a: mid, b: mlpOut });
  return pass.taps?.at(name + "hook_resid_post", post, [pass.rows.batch, pass.rows.queries, pass.config.dModel]) ??
    post;
}

/**
 * Queries and keys [rows, heads * dHead] turned by their positions, or back, which is also the gradient; null where the
 * family does not turn them.
 */
export function turnHeads(pass: PassContext, { q, k }: RotaryOutput, inverse = false): RotaryOutput | null {
  const { stream, rotaryTable: table, rows, architecture: { rotaryStyle: style }, config } = pass;
  if (!table || !style) return null;
  const split = (t: Tensor, heads: number): Tensor => t.view([rows.batch * rows.queries, heads, config.dHead]);
  const input = { q: split(q, config.nHeads), k: split(k, config.nKvHeads), position: rows.position, table };
  return rotary(stream, input, { style, inverse });
}

/** Attention on the normed input [rows, dModel]; returns what it adds to the residual [rows, dModel]. */
export function attentionHalf(pass: PassContext, layer: number, normed: Tensor): Tensor {
  const { stream, config, architecture, weights, taps, rows } = pass;
  const { nHeads, nKvHeads, dHead } = config;
  const name = `blocks.${layer}.attn.`;
  const shape = (heads: number): number[] => [rows.batch, rows.queries, heads, dHead];
  using temps = blockTemps(pass);
  const hook = (hookName: string, t: Tensor, heads: number): Tensor => taps?.at(name + hookName, t, shape(heads)) ?? t;

  let q = hook("hook_q", temps.add(linear(stream, weights, name + "W_Q", normed)), nHeads);
  let k = hook("hook_k", temps.add(linear(stream, weights, name + "W_K", normed)), nKvHeads);
  const v = hook("hook_v", temps.add(linear(stream, weights, name + "W_V", normed)), nKvHeads);
  pass.tape?.note(layer, { q, k });
  if (architecture.qkNorm) {
    const head = (t: Tensor, which: string, heads: number): Tensor =>
      hook(
        `hook_${which}_normed`,
        temps.add(
          rmsNorm(stream, {
            x: t.view([rows.batch * rows.queries * heads, dHead]),
            weight: weights.get(`${name}${which}_norm.w`),
          }, {
            eps: config.eps,
          }),
        ),
        heads,
      );
    q = head(q, "q", nHeads);
    k = head(k, "k", nKvHeads);
  }
  const turned = turnHeads(pass, { q, k });
  if (turned) {
    temps.add(turned.q);
    temps.add(turned.k);
    q = hook("hook_rot_q", turned.q, nHeads);
    k = hook("hook_rot_k", turned.k, nKvHeads);
  }

  const cache = pass.caches?.[layer];
  let keys = k.view(shape(nKvHeads));
  let values = v.view(shape(nKvHeads));
  if (cache) {
    const width = nKvHeads * dHead;
    const flat = [rows.batch * rows.queries, width];
    const all = [rows.batch * rows.keys, width];
    cacheRows(stream, {
      k: k.view(flat),
      v: v.view(flat),
      index: rows.cacheRow,
      cache: { k: cache.k.view(all), v: cache.v.view(all) },
    });
    keys = cache.k;
    values = cache.v;
  }
  const input = { q: q.view(shape(nHeads)), k: keys, v: values, start: rows.start, length: rows.length };
  let z: Tensor;
  if (taps?.wants(name + "hook_pattern")) {
    const pattern = temps.add(attentionPattern(stream, input));
    taps.at(name + "hook_pattern", pattern);
    z = temps.add(attentionMix(stream, { pattern, v: values }));
    if (pass.tape) throw new TypeError(`Cannot record a backward pass through a kept or patched ${name}hook_pattern`);
  } else {
    const out = attention(stream, input);
    z = temps.add(out.z);
    temps.add(out.logSumExp);
    pass.tape?.note(layer, { logSumExp: out.logSumExp });
  }
  hook("hook_z", z, nHeads);
  pass.tape?.note(layer, cache ? { rotQ: q, z } : { rotQ: q, rotK: k, v, z });
  const out = linear(stream, weights, name + "W_O", z.view([rows.batch * rows.queries, nHeads * dHead]));
  return taps?.at(`blocks.${layer}.hook_attn_out`, out, [rows.batch, rows.queries, config.dModel]) ?? out;
}

/** MLP on the normed input [rows, dModel]; returns what it adds to the residual [rows, dModel]. */
export function mlpHalf(pass: PassContext, layer: number, normed: Tensor): Tensor {
  const { stream, config, architecture, weights, taps, rows } = pass;
  const name = `blocks.${layer}.mlp.`;
  const inner = [rows.batch, rows.queries, config.dMlp];
  using temps = blockTemps(pass);
  let post: Tensor;
  if (architecture.gated) {
    const gate = temps.add(linear(stream, weights, name + "W_gate", normed));
    taps?.at(name + "hook_pre", gate, inner);
    const up = temps.add(linear(stream, weights, name + "W_in", normed));
    taps?.at(name + "hook_pre_linear", up, inner);
    pass.tape?.note(layer, { pre: gate, preLinear: up });
    post = temps.add(siluGated(stream, { gate, up }));
  } else {
    const pre = temps.add(linear(stream, weights, name + "W_in", normed));
    taps?.at(name + "hook_pre", pre, inner);
    pass.tape?.note(layer, { pre });
    post = temps.add(gelu(stream, { x: pre }, { kind: config.activation === "gelu_exact" ? "exact" : "tanh" }));
  }
  taps?.at(name + "hook_post", post, inner);
  const out = linear(stream, weights, name + "W_out", post);
  return taps?.at(`blocks.${layer}.hook_mlp_out`, out, [rows.batch, rows.queries, config.dModel]) ?? out;
}

/** Temporary tensors of a block: disposed at its end, except what a hook keeps or the tape recorded. */
function blockTemps(pass: PassContext): Temps {
  return new Temps((tensor) => (pass.taps?.holds(tensor) ?? false) || (pass.tape?.holds(tensor) ?? false));
}

/**
 * The backward pass, block by block, from a gradient of the residual after a block to that before it.
 *
 * @module
 */
import { add } from "../../kernels/add.ts";
import { attentionBackward } from "../../kernels/attention_backward.ts";
import { geluBackward } from "../../kernels/gelu_backward.ts";
import { rmsNormBackward } from "../../kernels/norm_backward.ts";
import { siluGatedBackward } from "../../kernels/silu_gated_backward.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { type PassContext, turnHeads } from "./block.ts";
import { Temps } from "./hooks.ts";
import { linearBackward } from "./linear.ts";
import { normBackward } from "./norm.ts";
import type { BlockTape } from "./tape.ts";

/**
 * Gradient with respect to the input of block `layer`.
 *
 * Gradients pass through the same hook names as activations (`blocks.3.mlp.hook_post`), so `pass.taps` here keeps
 * gradients.
 *
 * @param dPost Gradient of the residual after the block [rows, dModel].
 * @returns Gradient of the residual before it [rows, dModel], a new tensor.
 */
export function blockBackward(pass: PassContext, layer: number, dPost: Tensor): Tensor {
  const { stream, architecture, taps, rows, config } = pass;
  const tape = pass.tape!.get(layer);
  const name = `blocks.${layer}.`;
  const wide = [rows.batch, rows.queries, config.dModel];
  using temps = new Temps((t) => taps?.holds(t) ?? false);
  taps?.at(name + "hook_resid_post", dPost, wide);
  if (config.parallel) {
    taps?.at(name + "hook_mlp_out", dPost, wide);
    taps?.at(name + "hook_attn_out", dPost, wide);
    const dMlp = temps.add(mlpBackward(pass, layer, tape, dPost));
    const dAttn = temps.add(attentionHalfBackward(pass, layer, tape, dPost));
    if (architecture.mlpNorm) {
      const dSum = temps.add(normBackward(pass, name + "ln2", tape.residPre!, dMlp, dPost));
      const dPre = normBackward(pass, name + "ln1", tape.residPre!, dAttn, dSum);
      return taps?.at(name + "hook_resid_pre", dPre, wide) ?? dPre;
    }
    const dNormed = temps.add(add(stream, { a: dMlp, b: dAttn }));
    const dPre = normBackward(pass, name + "ln1", tape.residPre!, dNormed, dPost);
    return taps?.at(name + "hook_resid_pre", dPre, wide) ?? dPre;
  }
  const dMid = temps.add(sequentialTailBackward(pass, layer, dPost));
  taps?.at(name + "hook_attn_out", dMid, wide);
  const dNormed = temps.add(attentionHalfBackward(pass, layer, tape, dMid));
  const dPre = normBackward(pass, name + "ln1", tape.residPre!, dNormed, dMid);
  return taps?.at(name + "hook_resid_pre", dPre, wide) ?? dPre;
}

/** Gradient with respect to the residual after attention of a sequential block [rows, dModel]. */
export function sequentialTailBackward(pass: PassContext, layer: number, dPost: Tensor): Tensor {
  const { taps, rows, config } = pass;
  const tape = pass.tape!.get(layer);
  const wide = [rows.batch, rows.queries, config.dModel];
  using temps = new Temps((t) => taps?.holds(t) ?? false);
  taps?.at(`blocks.${layer}.hook_mlp_out`, dPost, wide);
  const dNormed = temps.add(mlpBackward(pass, layer, tape, dPost));
  const dMid = normBackward(pass, `blocks.${layer}.ln2`, tape.residMid!, dNormed, dPost);
  return taps?.at(`blocks.${layer}.hook_resid_mid`, dMid, wide) ?? dMid;
}

function mlpBackward(pass: PassContext, layer: number, tape: BlockTape, dOut: Tensor): Tensor {
  const { stream, weights, architecture, config, taps, rows } = pass;
  const name = `blocks.${layer}.mlp.`;
  const inner = [rows.batch, rows.queries, config.dMlp];
  using temps = new Temps((t) => taps?.holds(t) ?? false);
  const dPost = temps.add(linearBackward(stream, weights, name + "W_out", dOut));
  taps?.at(name + "hook_post", dPost, inner);
  if (!architecture.gated) {
    const kind = config.activation === "gelu_exact" ? "exact" : "tanh";
    const dPre = temps.add(geluBackward(stream, { dy: dPost, x: tape.pre! }, { kind }));
    taps?.at(name + "hook_pre", dPre, inner);
    return linearBackward(stream, weights, name + "W_in", dPre);
  }
  const d = siluGatedBackward(stream, { dy: dPost, gate: tape.pre!, up: tape.preLinear! });
  temps.add(d.gate);
  temps.add(d.up);
  taps?.at(name + "hook_pre", d.gate, inner);
  taps?.at(name + "hook_pre_linear", d.up, inner);
  const dNormed = linearBackward(stream, weights, name + "W_gate", d.gate);
  return linearBackward(stream, weights, name + "W_in", d.up, { out: dNormed, accumulate: true });
}

function attentionHalfBackward(pass: PassContext, layer: number, tape: BlockTape, dOut: Tensor): Tensor {
  const { stream, weights, architecture, config, rows, taps } = pass;
  const { nHeads, nKvHeads, dHead } = config;
  const name = `blocks.${layer}.attn.`;
  const count = rows.batch * rows.queries;
  const shape = (heads: number): number[] => [rows.batch, rows.queries, heads, dHead];
  using temps = new Temps((t) => taps?.holds(t) ?? false);
  const dz = temps.add(linearBackward(stream, weights, name + "W_O", dOut));
  taps?.at(name + "hook_z", dz, shape(nHeads));
  const cache = pass.caches?.[layer];
  const d = attentionBackward(stream, {
    dz: dz.view(shape(nHeads)),
    q: tape.rotQ!.view(shape(nHeads)),
    k: cache?.k ?? tape.rotK!.view(shape(nKvHeads)),
    v: cache?.v ?? tape.v!.view(shape(nKvHeads)),
    z: tape.z!.view(shape(nHeads)),
    logSumExp: tape.logSumExp!,
    start: rows.start,
    length: rows.length,
  });
  temps.add(d.q);
  temps.add(d.k);
  temps.add(d.v);
  taps?.at(name + "hook_v", d.v, shape(nKvHeads));
  const turned = turnHeads(pass, d, true);
  if (turned) {
    temps.add(turned.q);
    temps.add(turned.k);
    taps?.at(`${name}hook_rot_q`, d.q, shape(nHeads));
    taps?.at(`${name}hook_rot_k`, d.k, shape(nKvHeads));
  }
  const throughNorm = (t: Tensor, which: "q" | "k", heads: number, before: Tensor): Tensor => {
    if (!architecture.qkNorm) return t;
    const flat = [count * heads, dHead];
    const weight = weights.get(`${name}${which}_norm.w`);
    return temps.add(rmsNormBackward(stream, { dy: t.view(flat), x: before.view(flat), weight }, { eps: config.eps }));
  };
  const dq = throughNorm(turned?.q ?? d.q, "q", nHeads, tape.q!);
  const dk = throughNorm(turned?.k ?? d.k, "k", nKvHeads, tape.k!);
  taps?.at(name + "hook_q", dq, shape(nHeads));
  taps?.at(name + "hook_k", dk, shape(nKvHeads));
  const dNormed = linearBackward(stream, weights, name + "W_Q", dq.view([count, nHeads * dHead]));
  linearBackward(stream, weights, name + "W_K", dk.view([count, nKvHeads * dHead]), { out: dNormed, accumulate: true });
  return linearBackward(stream, weights, name + "W_V", d.v.view([count, nKvHeads * dHead]), {
    out: dNormed,
    accumulate: true,
  });
}

/**
 * Gradient of the logits' rows with respect to the last residual.
 *
 * @param dNormed Gradient of the normed final residual [rows, dModel].
 */
export function finalNormBackward(pass: PassContext, last: Tensor, dNormed: Tensor): Tensor {
  return normBackward(pass, "ln_final", last, dNormed);
}

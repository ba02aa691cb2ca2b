import { layerNorm } from "../../kernels/layer_norm.ts";
import { normScale } from "../../kernels/norm_scale.ts";
import { rmsNorm } from "../../kernels/rms_norm.ts";
import { layerNormBackward, rmsNormBackward } from "../../kernels/norm_backward.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { PassContext } from "./block.ts";
import { Temps } from "./hooks.ts";

/**
 * The norm called `name` ("blocks.3.ln1", "ln_final") of x [rows, dModel]; returns what the next matrix reads.
 *
 * Hooks: `hook_scale` [batch, pos, 1] = sqrt(mean square + eps), after centring for LayerNorm; `hook_unit` = before weight
 * and bias; `hook_normalized` = the result.
 *
 * @throws {TypeError} If scale or unit are patched: they are computed beside the result and do not reach it.
 */
export function norm(pass: PassContext, name: string, x: Tensor): Tensor {
  const { stream, config, architecture, taps, rows, weights } = pass;
  const { eps } = config;
  const count = x.length / config.dModel;
  const wide = count === rows.batch * rows.queries ? [rows.batch, rows.queries] : [count];
  taps?.refusePatches(name + ".hook_scale", name + ".hook_unit");
  if (taps?.wants(name + ".hook_scale", name + ".hook_unit")) {
    using temps = new Temps((t) => taps.holds(t));
    const centre = architecture.norm === "layer";
    taps.at(name + ".hook_scale", temps.add(normScale(stream, { x }, { eps, centre })), [...wide, 1]);
    using ones = stream.gpu.upload(new Float32Array(config.dModel).fill(1), [config.dModel], "ones");
    using zeros = stream.gpu.zeros([config.dModel], "zeros");
    const unit = centre
      ? layerNorm(stream, { x, weight: ones, bias: zeros }, { eps })
      : rmsNorm(stream, { x, weight: ones }, { eps });
    taps.at(name + ".hook_unit", temps.add(unit), [...wide, config.dModel]);
  }
  const weight = weights.get(name + ".w");
  const y = architecture.norm === "layer"
    ? layerNorm(stream, { x, weight, bias: weights.get(name + ".b") }, { eps })
    : rmsNorm(stream, { x, weight }, { eps });
  return taps?.at(name + ".hook_normalized", y, [...wide, config.dModel]) ?? y;
}

/** Gradient of {@linkcode norm} with respect to x, plus `add` if given: all [rows, dModel]. */
export function normBackward(pass: PassContext, name: string, x: Tensor, dy: Tensor, plus?: Tensor): Tensor {
  const { stream, config, architecture, weights } = pass;
  const input = { dy, x, weight: weights.get(name + ".w"), ...(plus ? { add: plus } : {}) };
  return architecture.norm === "layer"
    ? layerNormBackward(stream, input, { eps: config.eps })
    : rmsNormBackward(stream, input, { eps: config.eps });
}

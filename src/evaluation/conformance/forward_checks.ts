/**
 * Golden checks of the forward pass (every hook, logits, padded batches) and of its gradients.
 *
 * @module
 */
import type { Model } from "../../model/model.ts";
import type { AttributionCase } from "./attribution_case.ts";
import { type Check, checkAbsolute, checkRelative } from "./checks.ts";
import type { GoldenTensors } from "./golden_tensors.ts";

/** Largest error of an activation or gradient in f32 on a GPU, as a part of the tensor's largest value. */
export const ACTIVATION_TOLERANCE = 1e-4;

/** Largest error of a logit or log-probability in f32 on a GPU. */
export const LOGIT_TOLERANCE = 3e-4;

/**
 * Compares every golden activation and the logits, prompt by prompt and as one padded batch.
 *
 * @returns One check a tensor.
 */
export async function checkForward(model: Model, file: AttributionCase, golden: GoldenTensors): Promise<Check[]> {
  const checks: Check[] = [];
  const namesOf = (i: number): string[] =>
    golden.names.filter((name) => name.startsWith(`p${i}.`) && /^(hook_|blocks\.|ln_final\.)/.test(name.slice(3)))
      .map((name) => name.slice(`p${i}.`.length));
  for (const [i, { ids }] of file.prompts.entries()) {
    const names = namesOf(i);
    using cache = model.forward(ids, { keep: names, logits: "all" });
    const found = await cache.read(...names, "logits");
    for (const name of names) {
      checks.push(
        checkRelative(`p${i} ${name}`, found[name]!, await golden.values(`p${i}.${name}`), ACTIVATION_TOLERANCE),
      );
    }
    const logits = await golden.values(`p${i}.logits`);
    checks.push(checkAbsolute(`p${i} logits`, found["logits"]!, logits, LOGIT_TOLERANCE));
    checks.push(
      checkAbsolute(
        `p${i} entropy`,
        entropies(found["logits"]!, ids.length),
        await golden.values(`p${i}.entropy`),
        LOGIT_TOLERANCE,
      ),
    );
    using fused = model.forward(ids, { logits: "all" });
    const plain = await fused.read("logits");
    checks.push(checkAbsolute(`p${i} logits, nothing kept`, plain["logits"]!, logits, LOGIT_TOLERANCE));
  }
  return [...checks, ...await checkBatch(model, file, golden, namesOf)];
}

async function checkBatch(
  model: Model,
  file: AttributionCase,
  golden: GoldenTensors,
  namesOf: (i: number) => string[],
): Promise<Check[]> {
  const checks: Check[] = [];
  const batch = file.batch.ids.map((ids, b) => ids.slice(0, file.batch.last[b]! + 1));
  const names = namesOf(0).filter((name) => !name.endsWith("hook_pattern"));
  using cache = model.forward(batch, { keep: names });
  const found = await cache.read(...names, "logits");
  const last = await golden.values("batch.logits_last");
  checks.push(checkAbsolute("batch logits", found["logits"]!, last, LOGIT_TOLERANCE));
  for (const name of names) {
    const [, pos] = cache.shape(name) as [number, number];
    const values = found[name]!;
    const width = values.length / (batch.length * pos);
    for (const [b, ids] of batch.entries()) {
      const want = await golden.values(`p${b}.${name}`);
      const got = values.subarray(b * pos * width, (b * pos + ids.length) * width);
      checks.push(checkRelative(`batch p${b} ${name}`, got, want, ACTIVATION_TOLERANCE));
    }
  }
  return checks;
}

/**
 * Compares the gradients of the target's log-probability with respect to hooks, and of one output weight.
 *
 * @returns One check a tensor.
 */
export async function checkGradients(model: Model, file: AttributionCase, golden: GoldenTensors): Promise<Check[]> {
  const checks: Check[] = [];
  const layers = Array.from({ length: model.config.nLayers }, (_, layer) => layer);
  for (const [i, { ids, target, gradient }] of file.prompts.entries()) {
    const stacked = golden.names.filter((name) => name.startsWith(`p${i}.grad.`)).map((name) =>
      name.slice(`p${i}.grad.`.length)
    );
    const weight = `blocks.${gradient.layerOfWOut}.mlp.W_out`;
    const names = stacked.flatMap((hook) => layers.map((layer) => `blocks.${layer}.${hook}`));
    using found = model.gradients(ids, target, [...names, weight]);
    const values = await found.read(...names, weight);
    for (const hook of stacked) {
      const want = await golden.values(`p${i}.grad.${hook}`);
      const size = want.length / layers.length;
      for (const layer of layers) {
        const part = want.subarray(layer * size, (layer + 1) * size);
        const name = `blocks.${layer}.${hook}`;
        checks.push(checkRelative(`p${i} gradient ${name}`, values[name]!, part, ACTIVATION_TOLERANCE));
      }
    }
    // The golden is the gradient of the loss, ours that of the log-probability.
    const loss = values[weight]!.map((x) => -x);
    const want = await golden.values(`p${i}.grad_nll.W_out`);
    checks.push(checkRelative(`p${i} gradient ${weight}`, loss, want, ACTIVATION_TOLERANCE));
  }
  return checks;
}

/** Entropy in nats of each row's softmax. */
function entropies(logits: Float32Array, rows: number): Float64Array {
  const width = logits.length / rows;
  return Float64Array.from({ length: rows }, (_, row) => {
    const z = logits.subarray(row * width, (row + 1) * width);
    const max = z.reduce((a, b) => Math.max(a, b), -Infinity);
    const weights = Float64Array.from(z, (x) => Math.exp(x - max));
    const sum = weights.reduce((a, b) => a + b, 0);
    return Math.log(sum) + max - weights.reduce((a, w, j) => a + w / sum * z[j]!, 0);
  });
}

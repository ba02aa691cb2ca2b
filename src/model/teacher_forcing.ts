import { crossEntropy } from "../../kernels/cross_entropy.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { modelBatches } from "./capture.ts";
import { residual, unembed } from "./forward.ts";
import { Temps } from "./hooks.ts";
import type { Model } from "./model.ts";

/** A prompt and the tokens that are asked for after it. */
export interface ForcedRow {
  /** Token ids of the prompt. */
  prompt: readonly number[];
  /** Token ids of the continuation, at least one. */
  target: readonly number[];
}

/** How the model meets one {@linkcode ForcedRow}. */
export interface ForcedResult {
  /** log p of each target token given the ones before. */
  logProbs: number[];
  /** Most likely token at each target position. */
  argmax: number[];
  /** Whether every target token is the most likely one: the greedy continuation starts with exactly these tokens. */
  given: boolean;
}

/** Log-probabilities of continuations under teacher forcing: any number of rows, one wait in all. */
export async function teacherForce(model: Model, rows: readonly ForcedRow[]): Promise<ForcedResult[]> {
  if (rows.length === 0) return [];
  const { stream } = model.gpu;
  const parts: { tensors: [Tensor, Tensor]; batch: number[] }[] = [];
  const sequences = rows.map(({ prompt, target }) => [...prompt, ...target.slice(0, -1)]);
  try {
    for (const batch of modelBatches(model, sequences.map((s) => s.length))) {
      const ids = batch.map((i) => sequences[i]!);
      using temps = new Temps();
      using shape = model.rowsFor(ids);
      using input = model.uploadIds(ids, shape.queries);
      const at = batch.flatMap((i, b) =>
        rows[i]!.target.map((_, j) => b * shape.queries + rows[i]!.prompt.length - 1 + j)
      );
      using index = model.uploadIndex(at, "label rows");
      using target = model.uploadIndex(batch.flatMap((i) => rows[i]!.target), "labels");
      const pass = model.pass(shape);
      const logits = temps.add(unembed(pass, temps.add(residual(pass, input)), index));
      const found = crossEntropy(stream, { logits, target });
      temps.add(found.logSumExp);
      parts.push({ tensors: [found.logProb, found.argmax], batch });
      stream.submit();
    }
    const arrays = await stream.read(...parts.flatMap((part) => part.tensors));
    const results: ForcedResult[] = new Array(rows.length);
    parts.forEach(({ batch }, p) => {
      let at = 0;
      for (const i of batch) {
        const { target } = rows[i]!;
        const logProbs = [...arrays[2 * p]!.subarray(at, at + target.length)];
        const argmax = [...arrays[2 * p + 1]!.subarray(at, at + target.length)];
        results[i] = { logProbs, argmax, given: argmax.every((id, j) => id === target[j]) };
        at += target.length;
      }
    });
    return results;
  } finally {
    for (const part of parts) for (const tensor of part.tensors) tensor.dispose();
  }
}

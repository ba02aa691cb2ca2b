/**
 * Vocabulary projection of sub-values: which tokens a neuron's output vector speaks for and against.
 *
 * @module
 */
import { add } from "../../kernels/add.ts";
import { topK } from "../../kernels/top_k.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { AttnNeuron, FfnNeuron } from "./neuron_scores.ts";
import type { ScoredPrompt } from "./scored_prompt.ts";
import { partsOf, writtenVectors } from "./weight_vectors.ts";

/** A token with its projection. */
export interface ProjectedToken {
  /** Token id. */
  readonly id: number;
  /** Its text. */
  readonly text: string;
  /** Logit that the unit vector adds under the frozen divisor. */
  readonly value: number;
}

/** The ends of one projection. */
export interface ProjectedVector {
  /** Highest logits, highest first. */
  readonly top: readonly ProjectedToken[];
  /** Lowest logits, lowest first. */
  readonly bottom: readonly ProjectedToken[];
}

/** Options of {@linkcode projectNeurons}. */
export interface ProjectionOptions {
  /** Tokens listed at each end, 1 to 128. Default: 10. */
  count?: number;
  /** Whether the bias of the head is added to the logits. Default: false. */
  headBias?: boolean;
}

/** Vectors projected at a time: bounds the logits that are held and the length of one submit. */
const CHUNK = 128;

/**
 * Projects the sub-values of neurons: the column of `W_out` of an MLP neuron, of `W_O` of an attention neuron.
 *
 * A neuron with a negative coefficient promotes the bottom tokens.
 *
 * @returns One projection a neuron, in their order.
 */
export async function projectNeurons(
  prompt: ScoredPrompt,
  neurons: readonly (FfnNeuron | AttnNeuron)[],
  options: ProjectionOptions = {},
): Promise<ProjectedVector[]> {
  const { model, captures: { projection } } = prompt;
  const { gpu: { stream }, config: { dHead, vocab } } = model;
  const { count = 10, headBias = false } = options;
  const k = Math.min(count, vocab);
  const projected: ProjectedVector[] = [];
  for (let first = 0; first < neurons.length; first += CHUNK) {
    const part = neurons.slice(first, first + CHUNK);
    const columns = part.map((neuron) =>
      "neuron" in neuron
        ? { weight: `blocks.${neuron.layer}.mlp.W_out`, index: neuron.neuron }
        : { weight: `blocks.${neuron.layer}.attn.W_O`, index: neuron.head * dHead + neuron.dim }
    );
    using vectors = writtenVectors(model, partsOf(columns));
    using logits = projection.logits(vectors, headBias);
    // z - 2 z is -z exactly.
    using negated = add(stream, { a: logits, b: logits }, { scale: -2 });
    const [top, bottom] = [topK(stream, { x: logits }, { k }), topK(stream, { x: negated }, { k })];
    const tensors = [top.values, top.indices, bottom.values, bottom.indices];
    try {
      const found = await stream.read(...tensors);
      const tokens = (end: number, row: number, sign: number): ProjectedToken[] =>
        Array.from({ length: k }, (_, i) => {
          const id = found[2 * end + 1]![row * k + i]!;
          return { id, text: model.tokenizer.tokenText(id), value: sign * found[2 * end]![row * k + i]! };
        });
      projected.push(...part.map((_, row) => ({ top: tokens(0, row, 1), bottom: tokens(1, row, -1) })));
    } finally {
      for (const tensor of tensors as Tensor[]) tensor.dispose();
    }
  }
  return projected;
}

/**
 * Texts of the tokens that neurons promote in this prompt: the top of the projection, or its bottom where the coefficient
 * is negative.
 *
 * @param count Tokens a neuron.
 */
export async function promotedTokens<T extends FfnNeuron | AttnNeuron>(
  prompt: ScoredPrompt,
  neurons: readonly (T & { readonly coefficient: number })[],
  count: number = 5,
): Promise<string[][]> {
  const projected = await projectNeurons(prompt, neurons, { count });
  return projected.map(({ top, bottom }, n) => (neurons[n]!.coefficient < 0 ? bottom : top).map(({ text }) => text));
}

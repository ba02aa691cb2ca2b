/**
 * An attribution as figures and tables.
 *
 * @module
 */
import type { Attribution } from "../attribution/attribute.ts";
import type { ContributionData, LayerContribution } from "../display/contribution_figure.ts";
import type { NeuronData } from "../display/neuron_figure.ts";
import type { Table } from "../display/table.ts";

/** Scores of both halves of every layer, layer by layer. */
interface LayerValues {
  readonly attn: readonly number[];
  readonly ffn: readonly number[];
}

/**
 * Lays layer scores out for the contribution figure.
 *
 * @param attribution Scores of one prompt.
 * @returns Value scores, and the contrast where there were alternatives.
 */
export function contributionData(attribution: Attribution): ContributionData {
  const { prompt, target, layers, contrast } = attribution;
  return {
    prompt,
    target: target.text,
    value: contributions(layers),
    ...(contrast ? { contrast: contributions(contrast.layers) } : {}),
  };
}

/**
 * Lays neuron scores out for the neuron figure and table.
 *
 * @param attribution Scores of one prompt.
 * @returns FFN neurons, highest score first.
 */
export function neuronData(attribution: Attribution): NeuronData {
  const { target, neurons } = attribution;
  return {
    target: target.text,
    neurons: neurons.map(({ layer, neuron, score, tokens }) => ({ layer, neuron, score, tokens: [...tokens] })),
  };
}

/**
 * Lists what each layer adds.
 *
 * @param attribution Scores of one prompt.
 * @returns A row a layer, in nats.
 */
export function contributionTable(attribution: Attribution): Table {
  const { value, contrast } = contributionData(attribution);
  const score = (header: string): Table["columns"][number] => ({ header, align: "right" });
  return {
    caption: `What each layer adds to ${JSON.stringify(attribution.target.text)} (nats)`,
    columns: [
      score("layer"),
      score("attention"),
      score("FFN"),
      ...(contrast ? [score("attention, contrast"), score("FFN, contrast")] : []),
    ],
    rows: value.map(({ layer, attention, mlp }, i) => [
      String(layer),
      attention.toFixed(2),
      mlp.toFixed(2),
      ...(contrast ? [contrast[i]!.attention.toFixed(2), contrast[i]!.mlp.toFixed(2)] : []),
    ]),
  };
}

function contributions({ attn, ffn }: LayerValues): LayerContribution[] {
  return ffn.map((mlp, layer) => ({ layer, attention: attn[layer]!, mlp }));
}

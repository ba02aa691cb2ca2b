/**
 * An attribution as figures and tables.
 *
 * @module
 */
import type { Attribution } from "../attribution/attribute.ts";
import type { ContributionData, LayerContribution } from "../display/contribution_figure.ts";
import { type NeuronData, type NeuronScore, neuronTable } from "../display/neuron_figure.ts";
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
 * @returns FFN and attention neurons by the published score, highest first, as many as of each kind were asked for.
 */
export function neuronData({ target, neurons, attnNeurons }: Attribution): NeuronData {
  const ffn = neurons.map(({ layer, neuron, score, tokens }): NeuronScore => ({
    layer,
    neuron,
    score,
    tokens: [...tokens],
  }));
  const attention = attnNeurons.map(({ layer, head, dim, score, tokens }): NeuronScore => ({
    layer,
    neuron: dim,
    head,
    kind: "attention",
    score,
    tokens: [...tokens],
  }));
  const all = [...ffn, ...attention].sort((a, b) => b.score - a.score);
  return { target: target.text, neurons: all.slice(0, Math.max(ffn.length, attention.length)) };
}

/**
 * Lays the neurons out that tell the answer from its alternatives.
 *
 * @param attribution Scores of one prompt.
 * @returns FFN neurons by contrast, highest first; none where there were no alternatives.
 */
export function contrastNeuronData({ target, contrast }: Attribution): NeuronData {
  const neurons = (contrast?.neurons ?? []).map(({ layer, neuron, score, tokens }) => ({
    layer,
    neuron,
    score,
    tokens: [...tokens],
  }));
  return { target: target.text, neurons, contrast: true };
}

/**
 * Lists what recalls an answer: layers, the neurons that raise it, and those that tell it from its alternatives.
 *
 * @param attribution Scores of one prompt.
 * @param limit Neurons in each table.
 * @returns Two tables, or three where there were alternatives.
 */
export function attributionTables(attribution: Attribution, limit: number): Table[] {
  const { target, contrast, certified, evaluated, candidates } = attribution;
  const answer = JSON.stringify(target.text);
  const counted = `${evaluated.ffn + evaluated.attn} of ${candidates.ffn + candidates.attn} scored`;
  const raising = {
    ...neuronTable(neuronData(attribution), limit),
    caption: `Neurons that raise ${answer} most (${certified ? "certified" : "approximate"}, ${counted})`,
  };
  if (!contrast) return [contributionTable(attribution), raising];
  const telling = neuronTable(contrastNeuronData(attribution), limit);
  return [
    contributionTable(attribution),
    raising,
    { ...telling, caption: `FFN neurons that tell ${answer} from ${contrast.alternatives.length} other answers` },
  ];
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

import { crossEntropy } from "../../kernels/cross_entropy.ts";
import { crossEntropyBackward } from "../../kernels/cross_entropy_backward.ts";
import { gatherRows } from "../../kernels/gather_rows.ts";
import { klDivergence } from "../../kernels/kl_divergence.ts";
import { klDivergenceBackward } from "../../kernels/kl_divergence_backward.ts";
import { logSoftmax } from "../../kernels/softmax.ts";
import { scatterAddRows } from "../../kernels/scatter_add_rows.ts";
import { scatterRows } from "../../kernels/scatter_rows.ts";
import { sumRowsBySlot } from "../../kernels/sum_rows_by_slot.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { blockBackward, sequentialTailBackward } from "../model/backward.ts";
import { type KeyValues, sequentialTail } from "../model/block.ts";
import { blocks, residual } from "../model/forward.ts";
import { Taps, Temps } from "../model/hooks.ts";
import { linear, linearBackward } from "../model/linear.ts";
import type { Model } from "../model/model.ts";
import { norm, normBackward } from "../model/norm.ts";
import { makeRows, type Rows } from "../model/rows.ts";
import { Tape } from "../model/tape.ts";
import { coneIndices, coneStarts } from "./cone_indices.ts";
import type { SearchOptions, SearchRow, SearchSite } from "./target_search.ts";

/** Results of one forward pass through the cone; owns its tensors. */
export interface ConeForward extends Disposable {
  /** log p of each label, then of the dummy labels of kept rows. */
  logProb: Tensor;
  /** Most likely tokens, likewise. */
  argmax: Tensor;
  /** Divergence of each kept row; one zero if there is none. */
  kl: Tensor;
  /** What backward reads. */
  state: { tape: Tape; logits: Tensor; chosen: Tensor; keptLogits?: Tensor; keptLse?: Tensor };
}

/** Tensors of a cone by purpose; made once, before the first step. */
interface ConeTensors {
  /** Residual after the changed layer without change, [batch * queries, dModel]. */
  base: Tensor;
  /** Residual after attention of the changed layer (sequential blocks with an attention site). */
  baseMid: Tensor | null;
  /** Row of the cone of each edit. */
  editRow: Tensor;
  /** Slot of each edit, for the first site, and for the second. */
  editSlots: Tensor[];
  /** Rows of the cone that are predicted from: labels, then kept ones. */
  labelRow: Tensor;
  /** Numbers of the kept rows among these. */
  keptIndex: Tensor | null;
  /** Log-probabilities of kept rows before any change. */
  reference: Tensor | null;
  /** Token of each label with 0 for the kept rows. */
  paddedTarget: Tensor;
  /** klFactor for each kept row. */
  klWeight: Tensor | null;
}

/** The part of the model that a change at one layer reaches: later positions, higher blocks. */
export class SearchCone implements Disposable {
  /** Unchanged outputs by site at every edit, [edits, dModel]. */
  before: Partial<Record<SearchSite, Float32Array>> = {};
  /** Number of labels of each row that has any. */
  readonly labelsOfRow: number[];
  /** Kept rows. */
  readonly klRows: number;
  /** All labels. */
  readonly labelCount: number;
  /** Token of each label, u32 [labels]. */
  readonly target: Tensor;
  /** Weight of each label, [labels]. */
  readonly weight: Tensor;
  readonly #model: Model;
  readonly #options: SearchOptions;
  readonly #rows: Rows;
  readonly #slots: number;
  readonly #owned = new Temps();
  #caches: (KeyValues | undefined)[] = [];
  #t!: ConeTensors;

  private constructor(model: Model, rows: readonly SearchRow[], options: SearchOptions) {
    using made = new DisposableStack();
    made.use(this.#owned);
    this.#model = model;
    this.#options = options;
    this.#rows = made.use(makeRows(model.gpu, coneStarts(rows), rows.map((row) => row.ids.length)));
    this.#slots = 1 + Math.max(...rows.flatMap((row) => row.edits.map((e) => e.slot)));
    const labels = rows.flatMap((row) => row.labels);
    this.labelsOfRow = rows.map((row) => row.labels.length).filter((n) => n > 0);
    this.labelCount = labels.length;
    this.klRows = rows.filter((row) => row.keepAt !== undefined).length;
    this.target = this.#owned.add(model.uploadIndex(labels.map((l) => l.token), "search labels"));
    this.weight = this.#owned.add(
      model.gpu.upload(Float32Array.from(labels, (l) => l.weight), [labels.length], "search label weights"),
    );
    made.move();
  }

  /** Runs the unchanged model once over whole rows and keeps what the steps start from. */
  static async open(model: Model, rows: readonly SearchRow[], options: SearchOptions): Promise<SearchCone> {
    const cone = new SearchCone(model, rows, options);
    try {
      await cone.#prepare(rows);
      return cone;
    } catch (error) {
      cone[Symbol.dispose]();
      throw error;
    }
  }

  /** Length of the unchanged output that clamp and decay refer to, by site. */
  lengths(): number[] {
    const width = this.#model.config.dModel;
    return this.#options.sites.map((site) => {
      const values = this.before[site]!;
      const norms = Array.from(
        { length: values.length / width },
        (_, i) => Math.sqrt(values.subarray(i * width, (i + 1) * width).reduce((sum, x) => sum + x * x, 0)),
      );
      return this.#options.scale === "first" ? norms[0]! : norms.reduce((a, b) => a + b, 0) / norms.length;
    });
  }

  /** Records the forward pass with the vectors `delta` [sites * slots, dModel] added. */
  forward(delta: Tensor): ConeForward {
    const model = this.#model;
    const { stream } = model.gpu;
    const t = this.#t;
    const { sites, layer } = this.#options;
    using made = new DisposableStack();
    const tape = made.use(new Tape());
    const pass = model.pass(this.#rows, { tape, caches: this.#caches });
    const temps = made.use(new Temps((tensor) => tape.holds(tensor)));
    let x: Tensor;
    if (t.baseMid) {
      const mid = temps.add(this.#copy(t.baseMid));
      scatterAddRows(stream, { x: delta, slot: t.editSlots[sites.indexOf("attn")]!, row: t.editRow, into: mid });
      x = sequentialTail(pass, layer, mid);
    } else x = this.#copy(t.base);
    sites.forEach((site, s) => {
      if (t.baseMid && site === "attn") return;
      scatterAddRows(stream, { x: delta, slot: t.editSlots[s]!, row: t.editRow, into: x });
    });
    const last = temps.add(blocks(pass, x, layer + 1));
    const chosen = temps.add(gatherRows(stream, { x: last, index: t.labelRow }));
    const normed = temps.add(norm(pass, "ln_final", chosen));
    const logits = temps.add(linear(stream, model.weights, "unembed.W_U", normed));
    const found = crossEntropy(stream, { logits, target: t.paddedTarget });
    temps.add(found.logProb);
    temps.add(found.logSumExp);
    temps.add(found.argmax);
    const state: ConeForward["state"] = { tape, logits, chosen };
    let kl = found.logProb;
    if (t.keptIndex) {
      const keptLogits = temps.add(gatherRows(stream, { x: logits, index: t.keptIndex }));
      const column = found.logSumExp.view([found.logSumExp.length, 1]);
      const keptLse = temps.add(gatherRows(stream, { x: column, index: t.keptIndex })).view([this.klRows]);
      kl = temps.add(klDivergence(stream, { logits: keptLogits, logSumExp: keptLse, reference: t.reference! }));
      state.keptLogits = keptLogits;
      state.keptLse = keptLse;
    }
    const owned = made.move();
    return { logProb: found.logProb, argmax: found.argmax, kl, state, [Symbol.dispose]: () => owned.dispose() };
  }

  /**
   * Records the backward pass to the vectors.
   *
   * @param scaled Weight of each label in the loss, 0 for kept rows.
   * @returns Gradient [sites * slots, dModel], the caller's.
   */
  backward(forward: ConeForward, scaled: Tensor): Tensor {
    const model = this.#model;
    const { stream } = model.gpu;
    const { sites, layer } = this.#options;
    const t = this.#t;
    const { tape, logits, chosen, keptLogits, keptLse } = forward.state;
    const pass = model.pass(this.#rows, { tape, caches: this.#caches });
    using temps = new Temps();
    const dLogits = temps.add(
      crossEntropyBackward(stream, { logits, logProb: forward.logProb, target: t.paddedTarget, weight: scaled }),
    );
    if (keptLogits && keptLse) {
      const weight = t.klWeight!;
      const dKept = temps.add(
        klDivergenceBackward(stream, {
          logits: keptLogits,
          logSumExp: keptLse,
          reference: t.reference!,
          kl: forward.kl,
          weight,
        }),
      );
      scatterRows(stream, { x: dKept, index: t.keptIndex!, into: dLogits });
    }
    const dNormed = temps.add(linearBackward(stream, model.weights, "unembed.W_U", dLogits));
    const dChosen = temps.add(normBackward(pass, "ln_final", chosen, dNormed));
    let dx = temps.add(model.gpu.zeros(t.base.shape, "search gradient"));
    // Two labels may share a row only if two rows of the search do, so rows are distinct here.
    scatterRows(stream, { x: dChosen, index: t.labelRow, into: dx });
    for (let l = model.config.nLayers - 1; l > layer; l--) dx = temps.add(blockBackward(pass, l, dx));
    const dMid = t.baseMid ? temps.add(sequentialTailBackward(pass, layer, dx)) : dx;
    const sums = sites.map((site) =>
      temps.add(
        sumRowsBySlot(stream, { x: site === "attn" ? dMid : dx, row: t.editRow, slot: t.editSlots[0]! }, {
          slots: this.#slots,
        }),
      )
    );
    const gradient = model.gpu.tensor([sites.length * this.#slots, model.config.dModel], "search gradient");
    sums.forEach((sum, s) => stream.copy(sum, gradient, { to: s * sum.length }));
    return gradient;
  }

  /** Gives everything back. */
  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
    this.#rows[Symbol.dispose]();
    for (const cache of this.#caches) {
      cache?.k.dispose();
      cache?.v.dispose();
    }
  }

  #copy(x: Tensor): Tensor {
    const copy = this.#model.gpu.tensor(x.shape, "search residual");
    this.#model.gpu.stream.copy(x, copy);
    return copy;
  }

  async #prepare(rows: readonly SearchRow[]): Promise<void> {
    const model = this.#model;
    const { stream } = model.gpu;
    const { sites, layer } = this.#options;
    const { batch, queries, keys } = this.#rows;
    const ids = rows.map((row) => row.ids);
    const longest = Math.max(...ids.map((list) => list.length));
    this.#caches = model.makeCaches(batch, keys, layer + 1);
    const name = `blocks.${layer}.`;
    const needsMid = sites.includes("attn") && !model.config.parallel;
    const outputs: Record<SearchSite, string> = {
      block: name + "hook_resid_post",
      mlp: name + "hook_mlp_out",
      attn: name + "hook_attn_out",
    };
    using taps = new Taps(stream, {
      keep: [name + "hook_resid_post", ...(needsMid ? [name + "hook_resid_mid"] : []), ...sites.map((s) => outputs[s])],
    });
    using temps = new Temps();
    using whole = makeRows(model.gpu, ids.map(() => 0), ids.map((list) => list.length), longest, keys);
    using input = model.uploadIds(ids, longest);
    temps.add(residual(model.pass(whole, { taps, caches: this.#caches }), input));
    const kept = taps.finish();
    const flat = (hook: string): Tensor => kept.get(hook)!.tensor.view([batch * longest, model.config.dModel]);

    const at = coneIndices(rows, longest, queries);
    using coneIndex = model.uploadIndex(at.coneRows, "cone rows");
    const index = (values: readonly number[], label: string): Tensor =>
      this.#owned.add(model.uploadIndex(values, label));
    const labels = rows.flatMap((row) => row.labels.map((l) => l.token));
    this.#t = {
      base: this.#owned.add(gatherRows(stream, { x: flat(name + "hook_resid_post"), index: coneIndex })),
      baseMid: needsMid
        ? this.#owned.add(gatherRows(stream, { x: flat(name + "hook_resid_mid"), index: coneIndex }))
        : null,
      editRow: index(at.editRows, "edit rows"),
      editSlots: sites.map((_, s) => index(at.slots.map((slot) => slot + s * this.#slots), "edit slots")),
      labelRow: index([...at.labelRows, ...at.keptRows], "label rows"),
      keptIndex: this.klRows > 0 ? index(at.keptRows.map((_, i) => at.labelRows.length + i), "kept rows") : null,
      reference: null,
      paddedTarget: index([...labels, ...at.keptRows.map(() => 0)], "labels and kept"),
      klWeight: this.klRows > 0
        ? this.#owned.add(
          model.gpu.upload(new Float32Array(this.klRows).fill(this.#options.klFactor), [this.klRows], "kl weight"),
        )
        : null,
    };
    using editIndex = model.uploadIndex(at.editWholeRows, "edit rows");
    const outs = sites.map((site) => temps.add(gatherRows(stream, { x: flat(outputs[site]), index: editIndex })));
    if (this.#t.keptIndex) {
      using zero = model.gpu.zeros([sites.length * this.#slots, model.config.dModel], "no change");
      using first = this.#firstLogits(zero);
      this.#t.reference = this.#owned.add(logSoftmax(stream, { x: first }));
    }
    const values = await stream.read(...outs) as Float32Array[];
    this.before = Object.fromEntries(sites.map((site, s) => [site, values[s]!]));
  }

  /** Logits of the kept rows without change: what divergence is measured from. */
  #firstLogits(zero: Tensor): Tensor {
    const reference = this.#t.reference;
    using none = this.#model.gpu.zeros([this.klRows, this.#model.config.vocab], "no reference");
    this.#t.reference = none;
    using forward = this.forward(zero);
    this.#t.reference = reference;
    return this.#copy(forward.state.keptLogits!);
  }
}

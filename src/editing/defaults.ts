import type { ChainHyperparameters } from "./ace_chain.ts";
import type { SpreadHyperparameters } from "./targets.ts";

/** Defaults of chain mode, chosen on the world models; `docs/results.md` has what they reach. */
export const CHAIN_DEFAULTS: Readonly<ChainHyperparameters> = {
  oneHopWeight: null,
  keptWeight: 1,
  eps: 1e-4,
  lambda: 1,
  ridge: 0.01,
  maxGain: 2,
  lr: 0.3,
  steps: 60,
  clamp: 8,
  weightDecay: 0.1,
  stop: 0.005,
};

/** Defaults of PMET, MEMIT and paper mode for models up to {@linkcode SMALL_MODEL} wide, chosen on the world models. */
export const SPREAD_DEFAULTS: Readonly<SpreadHyperparameters> = {
  steps: 30,
  lr: 0.2,
  clamp: 3,
  weightDecay: 0.1,
  klFactor: 0.0625,
  lambda: 3,
};

/** Widest residual stream for which {@linkcode SPREAD_DEFAULTS} were tried. */
export const SMALL_MODEL = 1024;

/** Documents of a corpus that second moments are taken over by default. */
export const MOMENT_DOCUMENTS = 600;

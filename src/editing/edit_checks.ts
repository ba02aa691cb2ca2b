/** Numbers of a method that must not be 0: rates, lengths, and what keeps a system from being singular. */
const ABOVE_ZERO = ["lr", "clamp", "lambda", "ridge"];

/** The number that is a part of a whole. */
const SHARE = "oneHopWeight";

/**
 * Passes numbers of a method that it can work with; null stands for a choice of the method's own.
 *
 * @throws {RangeError} If one is no finite number from 0 up, one that must not be 0 is, a share is above 1, or there is no
 * whole step.
 */
export function checkHyperparameters(numbers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (value === null || value === undefined) continue;
    const least = name === "steps" ? 1 : 0;
    const usable = typeof value === "number" && Number.isFinite(value) && value >= least &&
      !(ABOVE_ZERO.includes(name) && value === 0) && (name !== "steps" || Number.isInteger(value)) &&
      (name !== SHARE || value <= 1);
    if (usable) continue;
    const range = name === SHARE ? "from 0 to 1" : ABOVE_ZERO.includes(name) ? "above 0" : "from 0 up";
    const wanted = name === "steps" ? "a whole number from 1 up" : `a number ${range}`;
    throw new RangeError(`Cannot edit with ${name} ${value}: wanted ${wanted}`);
  }
}

/**
 * Passes layers that a model has, at least one.
 *
 * @throws {RangeError} If there is none, or one is not in the model.
 */
export function checkLayers(layers: readonly number[], nLayers: number): void {
  const wrong = layers.find((layer) => !Number.isInteger(layer) || layer < 0 || layer >= nLayers);
  if (layers.length > 0 && wrong === undefined) return;
  const found = layers.length === 0 ? "no layer" : `layer ${wrong}`;
  throw new RangeError(
    `Cannot edit by this plan: found ${found}, wanted some of 0 to ${nLayers - 1}. Plan again, or name others`,
  );
}

/** Passes a seed, before any work is done. @throws {RangeError} If it is no whole number from 0 to 2^53 - 1. */
export function checkSeed(seed: number): void {
  if (Number.isSafeInteger(seed) && seed >= 0) return;
  throw new RangeError(`Cannot edit with seed ${seed}: wanted a whole number from 0 to 2^53 - 1`);
}

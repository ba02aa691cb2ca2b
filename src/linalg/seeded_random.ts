/**
 * The one source of chance: a small generator that gives the same numbers for the same seed on every machine.
 *
 * @module
 */

/** FNV-1a over the UTF-16 units of a label, so that streams with different names do not follow each other. */
function hashLabel(label: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Finaliser of MurmurHash3: every input bit reaches every output bit. */
function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/**
 * A stream of pseudo-random numbers: xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2021). Not for secrets.
 */
export class SeededRandom {
  readonly #state: Uint32Array = new Uint32Array(4);

  /**
   * Starts a stream.
   *
   * @param seed Whole number from 0 to 2^53 - 1.
   * @param labels What the stream is for; other labels give an independent stream under the same seed.
   * @throws {RangeError} If `seed` is no such number.
   */
  constructor(seed: number, ...labels: readonly (string | number)[]) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`Cannot seed with ${seed}: wanted a whole number from 0 to 2^53 - 1`);
    }
    let word = mix(seed % 2 ** 32) ^ mix(Math.floor(seed / 2 ** 32) + 0x9e3779b9);
    for (const label of labels) word = mix(word ^ hashLabel(`${typeof label}:${label}`));
    for (let i = 0; i < 4; i++) {
      word = (word + 0x9e3779b9) >>> 0;
      this.#state[i] = mix(word);
    }
  }

  /**
   * Continues a stream from a state that was written down elsewhere.
   *
   * @param state Four 32-bit words, not all zero.
   * @returns A stream in that state.
   * @throws {RangeError} If there are not four words, or all are zero.
   */
  static fromState(state: readonly number[]): SeededRandom {
    if (state.length !== 4 || state.every((word) => word >>> 0 === 0)) {
      throw new RangeError(`Cannot continue from state [${state}]: wanted four words, not all zero`);
    }
    const random = new SeededRandom(0);
    random.#state.set(state.map((word) => word >>> 0));
    return random;
  }

  /** Draws 32 bits. @returns A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const s = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotateLeft(s[3], 11);
    return result;
  }

  /** Draws from the uniform distribution. @returns A number in [0, 1) with 53 random bits. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    return (high * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /**
   * Draws a whole number, each equally likely.
   *
   * @param bound Exclusive upper bound, 1 to 2^32.
   * @returns A whole number from 0 to `bound - 1`.
   * @throws {RangeError} If `bound` is out of range.
   */
  below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
      throw new RangeError(`Cannot draw a number below ${bound}: wanted a whole bound from 1 to 2^32`);
    }
    // Draws above the largest multiple of `bound` are thrown away; keeping them would favour small results.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let draw = this.uint32();
    while (draw >= limit) draw = this.uint32();
    return draw % bound;
  }

  /**
   * Puts items in random order (Fisher and Yates).
   *
   * @param items Items to order; left as they are.
   * @returns A new array with the same items.
   */
  shuffle<T>(items: readonly T[]): T[] {
    return this.sample(items, items.length);
  }

  /**
   * Draws items without replacement, in random order.
   *
   * @param items Items to draw from; left as they are.
   * @param count How many are wanted; all are taken where there are fewer.
   * @returns A new array of at most `count` items.
   * @throws {RangeError} If `count` is no whole number of at least 0.
   */
  sample<T>(items: readonly T[], count: number): T[] {
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`Cannot sample ${count} items: wanted a whole number of at least 0`);
    }
    const pool = [...items];
    const taken = Math.min(count, pool.length);
    for (let i = 0; i < taken; i++) {
      const j = i + this.below(pool.length - i);
      [pool[i], pool[j]] = [pool[j], pool[i]];
    }
    return pool.slice(0, taken);
  }
}

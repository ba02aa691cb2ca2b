import type { Gpu } from "../gpu/gpu.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { ModelConfig } from "./architectures.ts";
import { rotaryFrequencies } from "./rope_scaling.ts";

/**
 * Cosines and sines of the rotary embedding, computed in float64 on the CPU: in a shader the angle of position 4000
 * would already be visibly wrong. Grows with the longest pass so far.
 */
export class RotaryTable implements Disposable {
  readonly #gpu: Gpu;
  readonly #config: ModelConfig;
  #table: Tensor | null = null;

  /** An empty table for a model. */
  constructor(gpu: Gpu, config: ModelConfig) {
    this.#gpu = gpu;
    this.#config = config;
  }

  /**
   * Table [positions, dims / 2, 2] with at least `positions` rows; valid until the next call that asks for more. Models
   * with learned positions have none.
   */
  upTo(positions: number): Tensor {
    if (this.#table && this.#table.shape[0]! >= positions) return this.#table;
    const { dims, theta, scaling } = this.#config.rotary!;
    const frequencies = rotaryFrequencies(dims, theta, scaling);
    const rows = Math.max(64, 2 ** Math.ceil(Math.log2(positions)));
    const half = dims / 2;
    const table = new Float32Array(rows * half * 2);
    for (let p = 0; p < rows; p++) {
      for (let i = 0; i < half; i++) {
        const angle = p * frequencies[i]!;
        table[(p * half + i) * 2] = Math.cos(angle);
        table[(p * half + i) * 2 + 1] = Math.sin(angle);
      }
    }
    this.#table?.dispose();
    this.#table = this.#gpu.upload(table, [rows, half, 2], "rotary table");
    return this.#table;
  }

  /** Gives the table back. */
  [Symbol.dispose](): void {
    this.#table?.dispose();
    this.#table = null;
  }
}

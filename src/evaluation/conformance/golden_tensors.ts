import { SafetensorsFile } from "../../checkpoint/safetensors_reader.ts";

/** A golden tensor on the host. */
export interface GoldenTensor {
  /** Sizes. */
  readonly shape: readonly number[];
  /** Values, row-major, widened to float64. */
  readonly values: Float64Array;
}

/** The tensors of a golden case, read when asked for. */
export class GoldenTensors implements Disposable {
  readonly #file: SafetensorsFile;

  private constructor(file: SafetensorsFile) {
    this.#file = file;
  }

  /**
   * Opens a safetensors file of float64 or float32 tensors.
   *
   * @throws {FileError} If the file cannot be read or breaks the format.
   */
  static async open(path: string): Promise<GoldenTensors> {
    return new GoldenTensors(await SafetensorsFile.open(path));
  }

  /** Names of all tensors. */
  get names(): string[] {
    return [...this.#file.names];
  }

  /** Whether there is a tensor of this name. */
  has(name: string): boolean {
    return this.#file.names.includes(name);
  }

  /**
   * Reads one tensor.
   *
   * @throws {FileError} If there is none of this name.
   * @throws {TypeError} If it is neither F64 nor F32.
   */
  async get(name: string): Promise<GoldenTensor> {
    const { dtype, shape } = this.#file.info(name);
    const bytes = await this.#file.read(name);
    if (dtype === "F64") return { shape, values: new Float64Array(bytes.buffer, 0, bytes.length / 8) };
    if (dtype === "F32") {
      return { shape, values: Float64Array.from(new Float32Array(bytes.buffer, 0, bytes.length / 4)) };
    }
    throw new TypeError(`Cannot read golden tensor "${name}": found ${dtype}, wanted F64 or F32. Make the case again`);
  }

  /** Values of one tensor; see {@linkcode GoldenTensors.get}. */
  async values(name: string): Promise<Float64Array> {
    return (await this.get(name)).values;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

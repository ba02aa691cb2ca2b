/**
 * Matrix products by other WebGPU libraries, each on a device of its own.
 *
 * @module
 */
import type { Contender } from "./race.ts";

/** A product that a peer computes: a [rows, inner] times b, laid out [cols, inner] (`nt`) or [inner, cols] (`nn`). */
export interface PeerProduct {
  /** Rows of the result. */
  readonly rows: number;
  /** Terms of each inner product. */
  readonly inner: number;
  /** Columns of the result. */
  readonly cols: number;
  /** Left operand. */
  readonly a: Float32Array<ArrayBuffer>;
  /** Right operand as [cols, inner]. */
  readonly b: Float32Array<ArrayBuffer>;
}

/** A peer with one product. */
export interface Peer extends Contender {
  /** Computes the product once and returns it, [rows, cols]. */
  readonly result: () => Promise<Float32Array>;
  /** Gives its memory back. */
  readonly dispose: () => void;
}

/** Rows and columns exchanged: [cols, inner] to [inner, cols]. */
export function transposed(b: Float32Array, cols: number, inner: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(b.length);
  for (let c = 0; c < cols; c++) for (let k = 0; k < inner; k++) out[k * cols + c] = b[c * inner + k]!;
  return out;
}

/**
 * jax-js, compiled by `jit`, in both layouts. It is lazy: a result that is dropped before it is awaited is never
 * computed, so all are kept and awaited. Arguments are consumed, so references are passed.
 */
export async function jaxPeers({ rows, inner, cols, a, b }: PeerProduct): Promise<Peer[]> {
  const { array, init, defaultDevice, jit, numpy, blockUntilReady } = await import("@jax-js/jax")
    .then((jax) => ({ ...jax, array: jax.numpy.array }));
  const found = await init("webgpu");
  if (!found.includes("webgpu")) throw new Error(`Cannot run jax-js: it found ${found.join(", ")}, wanted webgpu`);
  defaultDevice("webgpu");
  type JaxArray = ReturnType<typeof array>;
  const left = array(a, { shape: [rows, inner] });
  const peer = (layout: string, right: JaxArray, multiply: (x: JaxArray, y: JaxArray) => JaxArray): Peer => {
    const product = jit(multiply);
    const once = (): JaxArray => product(left.ref, right.ref);
    return {
      name: `jax-js ${layout}`,
      run: async (calls) => {
        const kept = Array.from({ length: calls }, once);
        await blockUntilReady(kept);
        for (const result of kept) result.dispose();
      },
      result: async () => await once().data() as Float32Array,
      dispose: () => {
        right.dispose();
        product.dispose();
      },
    };
  };
  const nn = peer("nn", array(transposed(b, cols, inner), { shape: [inner, cols] }), numpy.matmul);
  const nt = peer("nt", array(b, { shape: [cols, inner] }), (x, y) => numpy.matmul(x, numpy.matrixTranspose(y)));
  return [nn, nt];
}

/** tfjs with its WebGPU back end, in both layouts. */
export async function tfjsPeers({ rows, inner, cols, a, b }: PeerProduct): Promise<Peer[]> {
  const tf = await import("@tensorflow/tfjs-core");
  await import("@tensorflow/tfjs-backend-webgpu");
  if (!await tf.setBackend("webgpu")) throw new Error("Cannot run tfjs: its WebGPU back end did not start");
  await tf.ready();
  // Small operations would run on the CPU.
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  const left = tf.tensor2d(a, [rows, inner]);
  return [false, true].map((transposeB): Peer => {
    const right = transposeB ? tf.tensor2d(b, [cols, inner]) : tf.tensor2d(transposed(b, cols, inner), [inner, cols]);
    const once = (): ReturnType<typeof tf.tensor2d> => tf.matMul(left, right, false, transposeB);
    return {
      name: `tfjs ${transposeB ? "nt" : "nn"}`,
      run: async (calls) => {
        const kept = Array.from({ length: calls }, once);
        // The queue works in order, so the last result is ready after all others.
        await kept.at(-1)!.data();
        tf.dispose(kept);
      },
      result: async () => {
        const result = once();
        const values = await result.data();
        result.dispose();
        return values as Float32Array;
      },
      dispose: () => right.dispose(),
    };
  });
}

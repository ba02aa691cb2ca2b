/**
 * Other WebGPU libraries, each on a device of its own: how to open them and how to time them without traps.
 *
 * @module
 */
import type { Contender } from "./race.ts";

/** A peer with one piece of work. */
export interface Peer extends Contender {
  /** Does the work once and returns its values. */
  readonly result: () => Promise<Float32Array>;
  /** Gives its memory back. */
  readonly dispose: () => void;
}

/** jax-js on its WebGPU device. */
export type Jax = Awaited<ReturnType<typeof openJax>>;

/** An array of jax-js. */
export type JaxArray = ReturnType<Jax["numpy"]["array"]>;

/** tfjs on its WebGPU back end. */
export type Tfjs = Awaited<ReturnType<typeof openTfjs>>;

/** A tensor of tfjs. */
export type TfjsTensor = ReturnType<Tfjs["tensor"]>;

/** Opens jax-js; the module is the same at every call. @throws {Error} If it does not find WebGPU. */
export async function openJax() {
  const jax = await import("@jax-js/jax");
  const found = await jax.init("webgpu");
  if (!found.includes("webgpu")) throw new Error(`Cannot run jax-js: it found ${found.join(", ")}, wanted webgpu`);
  jax.defaultDevice("webgpu");
  return jax;
}

/** Opens tfjs; the module is the same at every call. @throws {Error} If its WebGPU back end does not start. */
export async function openTfjs() {
  const tf = await import("@tensorflow/tfjs-core");
  await import("@tensorflow/tfjs-backend-webgpu");
  if (!await tf.setBackend("webgpu")) throw new Error("Cannot run tfjs: its WebGPU back end did not start");
  await tf.ready();
  // Small operations would run on the CPU.
  tf.env().set("WEBGPU_CPU_FORWARD", false);
  return tf;
}

/**
 * A peer on jax-js. It is lazy: a result that is dropped before it is awaited is never computed, so all are kept and
 * awaited.
 *
 * @param once Records the work; jax-js consumes arguments, so it passes references.
 * @param owned What is disposed with the peer.
 */
export function jaxPeer(
  jax: Jax,
  name: string,
  once: () => JaxArray,
  owned: readonly { dispose(): void }[],
): Peer {
  return {
    name: `jax-js ${name}`,
    run: async (calls) => {
      const kept = Array.from({ length: calls }, once);
      await jax.blockUntilReady(kept);
      for (const result of kept) result.dispose();
    },
    // `data` consumes the array.
    result: async () => await once().data() as Float32Array,
    dispose: () => owned.forEach((each) => each.dispose()),
  };
}

/** A peer on tfjs, which works in order: the last result is ready after all others. */
export function tfjsPeer(
  tf: Tfjs,
  name: string,
  once: () => TfjsTensor,
  owned: readonly { dispose(): void }[],
): Peer {
  return {
    name: `tfjs ${name}`,
    run: async (calls) => {
      const kept = Array.from({ length: calls }, once);
      await kept.at(-1)!.data();
      tf.dispose(kept);
    },
    result: async () => {
      const result = once();
      const values = await result.data();
      result.dispose();
      return values as Float32Array;
    },
    dispose: () => owned.forEach((each) => each.dispose()),
  };
}

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

/** Rows and columns exchanged: [cols, inner] to [inner, cols]. */
export function transposed(b: Float32Array, cols: number, inner: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(b.length);
  for (let c = 0; c < cols; c++) for (let k = 0; k < inner; k++) out[k * cols + c] = b[c * inner + k]!;
  return out;
}

/** The product by jax-js, compiled by `jit`, in both layouts. */
export async function jaxPeers({ rows, inner, cols, a, b }: PeerProduct): Promise<Peer[]> {
  const jax = await openJax();
  const { jit, numpy } = jax;
  const left = numpy.array(a, { shape: [rows, inner] });
  const peer = (layout: string, right: JaxArray, multiply: (x: JaxArray, y: JaxArray) => JaxArray): Peer => {
    const product = jit(multiply);
    return jaxPeer(jax, layout, () => product(left.ref, right.ref), [left.ref, right, product]);
  };
  const nn = peer("nn", numpy.array(transposed(b, cols, inner), { shape: [inner, cols] }), numpy.matmul);
  const nt = peer("nt", numpy.array(b, { shape: [cols, inner] }), (x, y) => numpy.matmul(x, numpy.matrixTranspose(y)));
  left.dispose();
  return [nn, nt];
}

/** The product by tfjs, in both layouts. */
export async function tfjsPeers({ rows, inner, cols, a, b }: PeerProduct): Promise<Peer[]> {
  const tf = await openTfjs();
  return [false, true].map((transposeB): Peer => {
    const left = tf.tensor2d(a, [rows, inner]);
    const right = transposeB ? tf.tensor2d(b, [cols, inner]) : tf.tensor2d(transposed(b, cols, inner), [inner, cols]);
    return tfjsPeer(tf, transposeB ? "nt" : "nn", () => tf.matMul(left, right, false, transposeB), [left, right]);
  });
}

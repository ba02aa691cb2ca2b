/**
 * Softmax and norms of rows by other WebGPU libraries.
 *
 * @module
 */
import { type JaxArray, jaxPeer, openJax, openTfjs, type Peer, tfjsPeer, type TfjsTensor } from "./peers.ts";

/** An operation on each row. */
export type RowOperation = "softmax" | "layer norm" | "RMS norm";

/** What it is done to. */
export interface RowOperands {
  /** Rows. */
  readonly rows: number;
  /** Elements of a row. */
  readonly width: number;
  /** Values [rows, width]. */
  readonly x: Float32Array<ArrayBuffer>;
  /** Factor a column of the norms, [width]. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** Shift a column of the layer norm, [width]. */
  readonly bias: Float32Array<ArrayBuffer>;
  /** Added to the mean square or variance under the root. */
  readonly eps: number;
}

/** The operation by jax-js: its own functions where it has them, in one `jit` each. */
export async function jaxRowPeer(operation: RowOperation, operands: RowOperands): Promise<Peer> {
  const jax = await openJax();
  const { jit, nn, numpy } = jax;
  const { rows, width, eps } = operands;
  const x = numpy.array(operands.x, { shape: [rows, width] });
  const weight = numpy.array(operands.weight, { shape: [width] });
  const bias = numpy.array(operands.bias, { shape: [width] });
  const compiled = {
    "softmax": jit((x: JaxArray, weight: JaxArray, bias: JaxArray) => {
      weight.dispose();
      bias.dispose();
      return nn.softmax(x, -1);
    }),
    "layer norm": jit((x: JaxArray, weight: JaxArray, bias: JaxArray) =>
      nn.standardize(x, -1, { epsilon: eps }).mul(weight).add(bias)
    ),
    "RMS norm": jit((x: JaxArray, weight: JaxArray, bias: JaxArray) => {
      bias.dispose();
      const meanSquare = numpy.mean(numpy.square(x.ref), -1, { keepdims: true });
      return x.div(numpy.sqrt(meanSquare.add(eps))).mul(weight);
    }),
  }[operation];
  return jaxPeer(jax, "jit", () => compiled(x.ref, weight.ref, bias.ref), [x, weight, bias, compiled]);
}

/** The operation by tfjs: `softmax`, and for the norms the operations that its layers are made of. */
export async function tfjsRowPeer(operation: RowOperation, operands: RowOperands): Promise<Peer> {
  const tf = await openTfjs();
  const { rows, width, eps } = operands;
  const x = tf.tensor2d(operands.x, [rows, width]);
  const weight = tf.tensor1d(operands.weight);
  const bias = tf.tensor1d(operands.bias);
  const rooted = (square: TfjsTensor): TfjsTensor => tf.sqrt(tf.add(square, eps));
  const once = {
    "softmax": (): TfjsTensor => tf.softmax(x),
    "layer norm": (): TfjsTensor => {
      const { mean, variance } = tf.moments(x, 1, true);
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), rooted(variance)), weight), bias);
    },
    "RMS norm": (): TfjsTensor => tf.mul(tf.div(x, rooted(tf.mean(tf.square(x), 1, true))), weight),
  }[operation];
  return tfjsPeer(tf, "eager", () => tf.tidy(once), [x, weight, bias]);
}

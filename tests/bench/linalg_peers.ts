/**
 * Linear algebra by jax-js; tfjs has none on WebGPU.
 *
 * @module
 */
import { jaxPeer, openJax, type Peer } from "./peers.ts";

/** The Cholesky factor of a matrix [size, size], both halves of which are filled. */
export async function jaxCholesky(a: Float32Array<ArrayBuffer>, size: number): Promise<Peer> {
  const jax = await openJax();
  const matrix = jax.numpy.array(a, { shape: [size, size] });
  return jaxPeer(jax, "eager", () => jax.lax.linalg.cholesky(matrix.ref), [matrix]);
}

/** The solution X [size, columns] of L X = B for a lower triangular L [size, size]. `jit` around it throws in 0.1.25. */
export async function jaxTriangularSolve(
  lower: Float32Array<ArrayBuffer>,
  b: Float32Array<ArrayBuffer>,
  size: number,
): Promise<Peer> {
  const jax = await openJax();
  const left = jax.numpy.array(lower, { shape: [size, size] });
  const right = jax.numpy.array(b, { shape: [size, b.length / size] });
  const once = () => jax.lax.linalg.triangularSolve(left.ref, right.ref, { leftSide: true, lower: true });
  return jaxPeer(jax, "eager", once, [left, right]);
}

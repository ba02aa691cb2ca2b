import { frobeniusNorm, type Matrix, matrix, multiply, multiplyNt } from "../../src/linalg/dense.ts";

/** Numbers in [0, 1), the same for the same seed: Weyl sequence through a multiplicative hash. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** `count` independent standard normal numbers (Box and Muller). */
export function normals(count: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}

/** A matrix of standard normal numbers. */
export function normalMatrix(rows: number, cols: number, seed: number): Matrix {
  return matrix(rows, cols, normals(rows * cols, seed));
}

/** An orthogonal matrix: a product of `size` Householder reflections along random vectors (up to 12, enough to mix). */
export function orthogonal(size: number, seed: number): Matrix {
  const q = matrix(size, size);
  for (let i = 0; i < size; i++) q.data[i * size + i] = 1;
  for (let r = 0; r < Math.min(size, 12); r++) {
    const v = normalMatrix(1, size, seed + 1000 * r);
    const norm = frobeniusNorm(v);
    const through = multiplyNt(q, v); // [size, 1]
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) q.data[i * size + j] -= 2 * through.data[i] * v.data[j] / norm ** 2;
    }
  }
  return q;
}

/** A symmetric positive definite matrix with eigenvalues spread log-uniformly from 1 / condition to 1. */
export function spdMatrix(size: number, condition: number, seed: number): Matrix {
  const q = orthogonal(size, seed);
  const scaled = matrix(size, size, q.data.slice());
  for (let j = 0; j < size; j++) {
    const eigenvalue = condition ** -(size === 1 ? 0 : j / (size - 1));
    for (let i = 0; i < size; i++) scaled.data[i * size + j] *= eigenvalue;
  }
  const a = multiplyNt(scaled, q);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) {
      const mean = (a.data[i * size + j] + a.data[j * size + i]) / 2;
      a.data[i * size + j] = a.data[j * size + i] = mean;
    }
  }
  return a;
}

/** Second moment (1 / count) Σ x xᵀ of `count` normal rows with a mixing factor, positive definite for count >= size. */
export function randomMoment(size: number, count: number, seed: number): Matrix {
  const x = multiply(normalMatrix(count, size, seed), normalMatrix(size, size, seed + 1));
  const out = matrix(size, size);
  for (let r = 0; r < count; r++) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) out.data[i * size + j] += x.data[r * size + i] * x.data[r * size + j] / count;
    }
  }
  return out;
}

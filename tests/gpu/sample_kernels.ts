/**
 * Small kernels that the tests of the GPU layer run.
 *
 * @module
 */
import { defineKernel, type Kernel } from "../../src/gpu/kernel.ts";
import type { Stream } from "../../src/gpu/stream.ts";
import type { Tensor } from "../../src/gpu/tensor.ts";

/** y = factor * x + offset, one thread an element. */
export const AFFINE: Kernel = defineKernel({
  name: "affine",
  code: `
struct Params { length: u32, offset: i32, factor: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;
override WG: u32 = 64u;
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.length) { y[id.x] = params.factor * x[id.x] + f32(params.offset); }
}`,
  buffers: ["read", "write"],
  params: { length: "u32", offset: "i32", factor: "f32" },
});

/** x += value, in place. */
export const INCREASE: Kernel = defineKernel({
  name: "increase",
  code: `
struct Params { length: u32, value: f32 }
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(1) @binding(0) var<uniform> params: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.length) { x[id.x] += params.value; }
}`,
  buffers: ["write"],
  params: { length: "u32", value: "f32" },
});

/** Records y = factor * x + offset. */
export function affine(stream: Stream, x: Tensor, y: Tensor, factor: number, offset: number): void {
  stream.dispatch(AFFINE, {
    tensors: [x, y],
    params: { length: x.length, offset, factor },
    groups: [Math.ceil(x.length / 64), 1, 1],
  });
}

/** Records x += value. */
export function increase(stream: Stream, x: Tensor, value: number): void {
  stream.dispatch(INCREASE, {
    tensors: [x],
    params: { length: x.length, value },
    groups: [Math.ceil(x.length / 64), 1, 1],
  });
}

import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { GpuError } from "../../src/gpu/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { defineKernel, type Kernel } from "../../src/gpu/kernel.ts";
import { AFFINE, affine, INCREASE } from "./sample_kernels.ts";

const gpu = await Gpu.open();

/** Runs a kernel that must fail on a device of its own, since an error stays with the device. */
async function failure(kernel: Kernel): Promise<GpuError> {
  const device = await Gpu.open();
  const x = device.upload(new Float32Array([1]), [1], "x");
  device.stream.dispatch(kernel, { tensors: [x], groups: [1, 1, 1] });
  const error = await assertRejects(() => device.stream.read(x), GpuError) as GpuError;
  const again = await assertRejects(() => device.stream.read(x), GpuError);
  assertStrictEquals(again, error);
  x.dispose();
  device.close();
  return error;
}

Deno.test("PipelineCache compiles each variant once, whatever the order of the constants", () => {
  const before = gpu.stats().pipelines;
  const first = gpu.pipelines.get(AFFINE, {});
  assertStrictEquals(gpu.pipelines.get(AFFINE, {}), first);
  const narrow = gpu.pipelines.get(AFFINE, { WG: 8 });
  assertEquals([first.key, narrow.key], ["affine", "affine(WG=8)"]);
  assertEquals(gpu.stats().pipelines, before + 2);
  const two = defineKernel({
    name: "two",
    code: `
override A: u32 = 1u;
override B: u32 = 1u;
@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@compute @workgroup_size(A, B) fn main() { x[0] = A * B; }`,
    buffers: ["write"],
    params: {},
  });
  assertStrictEquals(gpu.pipelines.get(two, { A: 2, B: 3 }), gpu.pipelines.get(two, { B: 3, A: 2 }));
});

Deno.test("PipelineCache refuses two kernels of one name with different code or buffers", () => {
  gpu.pipelines.get(AFFINE, {});
  gpu.pipelines.get({ ...AFFINE }, {});
  const message =
    'Cannot compile kernel "affine": another of that name has other code or buffers, and the name stands ' +
    "for both. Give it a name of its own";
  for (const other of [{ ...AFFINE, code: `${AFFINE.code}\n` }, { ...AFFINE, buffers: ["write"] as const }]) {
    for (const constants of [{}, { WG: 2 }]) {
      assertEquals(assertThrows(() => gpu.pipelines.get(other, constants), TypeError).message, message);
    }
  }
});

Deno.test("PipelineCache keeps the time that each variant took to compile", () => {
  const before = gpu.pipelines.compileTimes.length;
  assertEquals(before, gpu.pipelines.size);
  gpu.pipelines.get(AFFINE, { WG: 16 });
  gpu.pipelines.get(AFFINE, { WG: 16 });
  const added = gpu.pipelines.compileTimes.slice(before);
  assertEquals(added.map(({ key }) => key), ["affine(WG=16)"]);
  assert(added[0]!.ms > 0);
});

Deno.test("PipelineCache shares the layout of kernels with the same buffers", () => {
  const other = { ...AFFINE, name: "other" };
  assertEquals(gpu.pipelines.get(other, {}).layoutId, gpu.pipelines.get(AFFINE, {}).layoutId);
  assertEquals(gpu.pipelines.get(INCREASE, {}).layoutId === gpu.pipelines.get(AFFINE, {}).layoutId, false);
});

Deno.test("PipelineCache applies override constants", async () => {
  using x = gpu.upload(new Float32Array(16).fill(1), [16], "x");
  using y = gpu.zeros([16], "y");
  gpu.stream.dispatch(AFFINE, {
    tensors: [x, y],
    params: { length: 16, offset: 0, factor: 3 },
    groups: [1, 1, 1],
    constants: { WG: 4 },
  });
  const [values] = await gpu.stream.read(y);
  assertEquals([...values], [3, 3, 3, 3, ...new Array(12).fill(0)]);
  affine(gpu.stream, x, y, 2, 0);
  const [all] = await gpu.stream.read(y);
  assertEquals(all.every((value) => value === 2), true);
});

Deno.test("PipelineCache reports a shader error with the kernel, the place and the message", async () => {
  const error = await failure(defineKernel({
    name: "broken",
    code: "@compute @workgroup_size(1)\nfn main() { let a: u32 = 1.5; }",
    buffers: ["write"],
    params: {},
  }));
  assertEquals(error.kernel, "broken");
  assertStringIncludes(error.message, 'Cannot compile kernel "broken": ');
  assertStringIncludes(error.message, "2:17");
});

Deno.test("PipelineCache reports a shader whose bindings are not those declared", async () => {
  const error = await failure(defineKernel({
    name: "mismatch",
    code: `@group(0) @binding(1) var<storage, read_write> q: array<f32>;
@compute @workgroup_size(1) fn main() { q[0] = 1.0; }`,
    buffers: ["write"],
    params: {},
  }));
  assertEquals(error.kernel, "mismatch");
  assertStringIncludes(error.message, 'Cannot compile kernel "mismatch": ');
});

Deno.test("PipelineCache leaves no tensor behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});

import { assertEquals, assertGreater, assertRejects, assertThrows } from "@std/assert";
import { DeviceLostError, GpuError, GpuMemoryError } from "../../src/gpu/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { affine } from "./sample_kernels.ts";

const gpu = await Gpu.open();

Deno.test("Gpu.upload() gives back what was uploaded, in every dtype", async () => {
  using f32 = gpu.upload(new Float32Array([1.5, -2, 3]), [3], "f32");
  using u32 = gpu.upload(new Uint32Array([1, 4294967295]), [2], "u32");
  using bf16 = gpu.upload(new Uint8Array([1, 2, 3, 4, 5, 6]), [3], "bf16", "bf16");
  const [a, b, c] = await gpu.stream.read(f32, u32, bf16);
  assertEquals([...a], [1.5, -2, 3]);
  assertEquals([u32.dtype, ...b], ["u32", 1, 4294967295]);
  assertEquals([...new Uint8Array(c.buffer, c.byteOffset, 6)], [1, 2, 3, 4, 5, 6]);
});

Deno.test("Gpu.upload() refuses contents that do not fill the shape", () => {
  const { live } = gpu.memory();
  assertThrows(
    () => gpu.upload(new Float32Array(5), [2, 3], "weights"),
    RangeError,
    'Cannot upload "weights": shape [2, 3] f32 takes 24 bytes, got 20',
  );
  assertThrows(
    () => gpu.upload(new Uint8Array(5), [3], "half", "f16"),
    RangeError,
    'Cannot upload "half": shape [3] f16 takes 6 bytes, got 5',
  );
  assertEquals(gpu.memory().live, live);
});

Deno.test("Gpu.upload() takes a part of a larger array", async () => {
  const all = new Float32Array([9, 1, 2, 9]);
  using x = gpu.upload(all.subarray(1, 3), [2], "part");
  const [values] = await gpu.stream.read(x);
  assertEquals([...values], [1, 2]);
});

Deno.test("Gpu.write() overwrites a range and refuses one outside the tensor", async () => {
  using x = gpu.upload(new Float32Array([1, 2, 3, 4]), [4], "x");
  gpu.write(x, new Float32Array([8, 9]), 4);
  const [values] = await gpu.stream.read(x);
  assertEquals([...values], [1, 8, 9, 4]);
  for (const offset of [12, -4, 2, NaN]) {
    assertThrows(
      () => gpu.write(x, new Float32Array(2), offset),
      RangeError,
      `Cannot write 8 bytes at ${offset} of "x" [4] f32: it has 16 bytes, and writes start at multiples of 4`,
    );
  }
});

Deno.test("Gpu.write() takes effect after what was recorded on that buffer", async () => {
  using x = gpu.upload(new Float32Array([1]), [1], "x");
  using y = gpu.tensor([1], "y");
  affine(gpu.stream, x, y, 2, 0);
  gpu.write(x, new Float32Array([5]));
  const [x1, y1] = await gpu.stream.read(x, y);
  assertEquals([x1[0], y1[0]], [5, 2]);

  using copied = gpu.tensor([1], "copied");
  gpu.stream.copy(x, copied);
  gpu.write(x, new Float32Array([6]));
  gpu.stream.clear(x);
  gpu.write(x, new Float32Array([7]));
  const [x2, copied2] = await gpu.stream.read(x, copied);
  assertEquals([x2[0], copied2[0]], [7, 5]);
});

Deno.test("Gpu.write() to a new tensor spares recorded work that the buffer served before", async () => {
  gpu.stream.submit();
  using y = gpu.tensor([3], "y");
  const x = gpu.upload(new Float32Array([1, 2, 3]), [3], "x");
  affine(gpu.stream, x, y, 2, 0);
  const { id } = x.storage;
  x.dispose();
  using z = gpu.tensor([3], "z");
  assertEquals(z.storage.id, id);
  gpu.write(z, new Float32Array([7, 8, 9]));
  const [values, others] = await gpu.stream.read(y, z);
  assertEquals([...values, ...others], [2, 4, 6, 7, 8, 9]);
});

Deno.test("Gpu.write() submits nothing where recorded work does not use the buffer", async () => {
  using x = gpu.upload(new Float32Array([1]), [1], "x");
  using y = gpu.tensor([1], "y");
  using other = gpu.upload(new Float32Array([3]), [1], "other");
  const before = gpu.stats().submits;
  affine(gpu.stream, x, y, 2, 0);
  gpu.write(other, new Float32Array([4]));
  assertEquals(gpu.stats().submits, before);
  gpu.write(x, new Float32Array([5]));
  assertEquals(gpu.stats().submits, before + 1);
  gpu.write(x, new Float32Array([6]));
  const [values] = await gpu.stream.read(y);
  assertEquals([values[0], gpu.stats().submits], [2, before + 2]);
});

Deno.test("Gpu.upload() never takes the buffer of a tensor that recorded work still uses", async () => {
  using y = gpu.tensor([3], "y");
  const x = gpu.upload(new Float32Array([1, 2, 3]), [3], "x");
  affine(gpu.stream, x, y, 2, 0);
  x.dispose();
  using other = gpu.upload(new Float32Array([7, 7, 7]), [3], "other");
  const [values, others] = await gpu.stream.read(y, other);
  assertEquals([...values, ...others], [2, 4, 6, 7, 7, 7]);
});

Deno.test("Gpu.tensor() may take that buffer, since its first use comes after", async () => {
  using y = gpu.tensor([3], "y");
  const x = gpu.upload(new Float32Array([1, 2, 3]), [3], "x");
  affine(gpu.stream, x, y, 2, 0);
  const { id } = x.storage;
  x.dispose();
  using z = gpu.tensor([3], "z");
  assertEquals(z.storage.id, id);
  affine(gpu.stream, y, z, 1, 1);
  const [values, others] = await gpu.stream.read(y, z);
  assertEquals([...values, ...others], [2, 4, 6, 3, 5, 7]);
});

Deno.test("Gpu.zeros() is zero also in a reused buffer", async () => {
  const used = gpu.upload(new Float32Array(64).fill(7), [64], "used");
  const { id } = used.storage;
  used.dispose();
  gpu.stream.submit();
  using stack = new DisposableStack();
  // Buffers made earlier are reused earlier.
  let zeros = stack.use(gpu.zeros([64], "zeros"));
  while (zeros.storage.id < id) zeros = stack.use(gpu.zeros([64], "zeros"));
  assertEquals(zeros.storage.id, id);
  const [values] = await gpu.stream.read(zeros);
  assertEquals(values.every((value) => value === 0), true);
});

Deno.test("Gpu.memory() names the owners, largest first, and keeps the peak", () => {
  const before = gpu.memory().live;
  {
    using _a = gpu.tensor([64], "keys");
    using _b = gpu.tensor([64], "keys");
    using _c = gpu.tensor([1000], "values");
    const { live, owners, peak } = gpu.memory();
    assertEquals(live - before, 512 + 4096);
    assertEquals(Object.entries(owners), [["values", 4096], ["keys", 512]]);
    assertGreater(peak, live - 1);
  }
  const { live, owners, pooled } = gpu.memory();
  assertEquals([live, owners], [before, {}]);
  assertGreater(pooled, 4095);
});

Deno.test("Gpu.trim() destroys what is kept for reuse, also what recorded work uses", async () => {
  using y = gpu.tensor([3], "y");
  const x = gpu.upload(new Float32Array([1, 2, 3]), [3], "x");
  affine(gpu.stream, x, y, 3, 0);
  x.dispose();
  gpu.trim();
  assertEquals(gpu.memory().pooled, 0);
  const [values] = await gpu.stream.read(y);
  assertEquals([...values], [3, 6, 9]);
});

Deno.test("Gpu.tensor() refuses more than one buffer holds, with the numbers", () => {
  const limit = Math.floor(gpu.limits.maxBufferSize / 256) * 256;
  const elements = Math.floor(limit / 4) + 1;
  assertThrows(
    () => gpu.tensor([elements], "too large"),
    GpuMemoryError,
    `Cannot make tensor "too large" [${elements}] f32: it takes ${4 * elements} bytes and one buffer of ` +
      `${gpu.adapterName} holds ${limit}`,
  );
});

Deno.test("Gpu.open() with maxBytes refuses tensors beyond it and allows them again after a dispose", async () => {
  using small = await Gpu.open({ maxBytes: 4096 });
  const first = small.tensor([512], "first");
  assertEquals(small.availableBytes, 2048);
  const error = assertThrows(
    () => small.tensor([1024], "second"),
    GpuMemoryError,
    'Cannot make tensor "second" [1024] f32: 2048 bytes are in use, 4096 more would pass the limit of 4096. ' +
      "Dispose tensors or use a smaller model or batch",
  );
  assertEquals((error as GpuMemoryError).label, "second");
  first.dispose();
  using _second = small.tensor([1024], "second");
});

Deno.test("Gpu.open() without subgroups has no subgroup size", async () => {
  using plain = await Gpu.open({ without: ["subgroups", "f16"] });
  assertEquals([plain.subgroupSize, plain.features.has("subgroups"), plain.features.has("f16")], [null, false, false]);
});

Deno.test("Gpu.subgroupSize is null or a power of two that the probe proved", () => {
  const { subgroupSize } = gpu;
  if (subgroupSize === null) return;
  assertEquals([subgroupSize >= 4, Math.log2(subgroupSize) % 1, gpu.features.has("subgroups")], [true, 0, true]);
});

Deno.test("Gpu.scope() disposes what was handed to it, also when the body throws", async () => {
  const { live } = gpu.memory();
  const sum = await gpu.scope((stack) => {
    stack.use(gpu.tensor([8], "a"));
    return 3;
  });
  assertEquals([sum, gpu.memory().live], [3, live]);
  await assertRejects(
    () =>
      gpu.scope((stack) => {
        stack.use(gpu.tensor([8], "a"));
        throw new Error("stopped");
      }),
    Error,
    "stopped",
  );
  assertEquals(gpu.memory().live, live);
});

Deno.test("Gpu refuses every use after it was closed, and closing twice is harmless", async () => {
  const closed = await Gpu.open();
  const x = closed.tensor([2], "x");
  closed.close();
  closed.close();
  const message = "Cannot use the GPU: it was closed";
  assertThrows(() => closed.tensor([1], "late"), GpuError, message);
  assertThrows(() => closed.write(x, new Float32Array(2)), GpuError, message);
  assertThrows(() => closed.stream.submit(), GpuError, message);
  await assertRejects(() => closed.stream.read(x), GpuError);
  x.dispose();
});

Deno.test("Gpu reports a lost device as DeviceLostError, at once and ever after", async () => {
  for (const early of [true, false]) {
    const lost = await Gpu.open();
    const x = lost.upload(new Float32Array(3), [3], "x");
    if (early) lost.device.destroy();
    const reading = assertRejects(
      () => lost.stream.read(x),
      DeviceLostError,
      "The GPU device was lost (destroyed): device was lost. Restart the process or the notebook kernel",
    );
    if (!early) lost.device.destroy();
    await reading;
    assertEquals(lost.lost, true);
    assertThrows(() => lost.tensor([1], "late"), DeviceLostError, "The GPU device was lost");
    await assertRejects(() => lost.stream.read(x), DeviceLostError, "The GPU device was lost");
    x.dispose();
    lost.close();
  }
});

Deno.test("Gpu leaves no tensor behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});

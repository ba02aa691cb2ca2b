import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { GpuError } from "../../src/gpu/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { AFFINE, affine, increase } from "./sample_kernels.ts";

const gpu = await Gpu.open();
const { stream } = gpu;

/** Counters that `body` adds to. */
async function counted(body: () => Promise<void> | void): Promise<number[]> {
  const before = gpu.stats();
  await body();
  const after = gpu.stats();
  return [after.submits - before.submits, after.dispatches - before.dispatches, after.reads - before.reads];
}

Deno.test("Stream submits many dispatches, copies and clears once, at the read", async () => {
  using x = gpu.upload(new Float32Array([1, 2, 3]), [3], "x");
  using y = gpu.tensor([3], "y");
  using z = gpu.tensor([3], "z");
  const counts = await counted(async () => {
    for (let i = 0; i < 100; i++) increase(stream, x, 1);
    affine(stream, x, y, 2, -1);
    stream.copy(y, z);
    stream.clear(x);
    const [a, b] = await stream.read(x, z);
    assertEquals([...a, ...b], [0, 0, 0, 201, 203, 205]);
  });
  assertEquals(counts, [1, 101, 1]);
});

Deno.test("Stream.submit() without recorded work hands nothing to the queue", async () => {
  assertEquals(await counted(() => stream.submit()), [0, 0, 0]);
});

Deno.test("Stream passes parameters of each type to the dispatch that they belong to", async () => {
  using x = gpu.upload(new Float32Array([1, 2, 3]), [3], "x");
  using y = gpu.zeros([3], "y");
  using z = gpu.zeros([3], "z");
  affine(stream, x, y, 0.5, -7);
  stream.dispatch(AFFINE, { tensors: [x, z], params: { length: 2, offset: 4, factor: -1 }, groups: [1, 1, 1] });
  const [a, b] = await stream.read(y, z);
  assertEquals([...a, ...b], [-6.5, -6, -5.5, 3, 2, 0]);
});

Deno.test("Stream submits by itself where the parameter arena is full, in order", async () => {
  using x = gpu.upload(new Float32Array([0]), [1], "x");
  using y = gpu.upload(new Float32Array([0]), [1], "y");
  const pairs = 2500;
  const counts = await counted(async () => {
    for (let i = 0; i < pairs; i++) {
      increase(stream, x, 3);
      affine(stream, x, y, 1, i);
    }
    const [a, b] = await stream.read(x, y);
    assertEquals([...a, ...b], [3 * pairs, 3 * pairs + pairs - 1]);
  });
  assertEquals(counts, [3, 2 * pairs, 1]);
});

Deno.test("Stream.dispatch() of no groups records nothing", async () => {
  using x = gpu.upload(new Float32Array([1]), [1], "x");
  const counts = await counted(() => {
    for (const groups of [[0, 1, 1], [1, 0, 1], [1, 1, 0]] as const) {
      stream.dispatch(AFFINE, { tensors: [x, x], params: {}, groups });
    }
    stream.submit();
  });
  assertEquals(counts, [0, 0, 0]);
});

Deno.test("Stream.dispatch() refuses a missing parameter and a wrong number of tensors by the kernel's name", async () => {
  using x = gpu.upload(new Float32Array([1]), [1], "x");
  using y = gpu.tensor([1], "y");
  assertThrows(
    () => stream.dispatch(AFFINE, { tensors: [x, y], params: { length: 1, factor: 1 }, groups: [1, 1, 1] }),
    TypeError,
    'Cannot dispatch "affine": parameter "offset" is missing',
  );
  assertThrows(
    () => stream.dispatch(AFFINE, { tensors: [x], params: {}, groups: [1, 1, 1] }),
    TypeError,
    'Cannot dispatch "affine": it binds 2 tensors, got 1',
  );
  affine(stream, x, y, 2, 0);
  const [values] = await stream.read(y);
  assertEquals([...values], [2]);
});

Deno.test("Stream.dispatch() refuses a disposed tensor", () => {
  const x = gpu.tensor([1], "gone");
  x.dispose();
  using y = gpu.tensor([1], "y");
  assertThrows(() => affine(stream, x, y, 1, 0), TypeError, 'Cannot use tensor "gone" after it was disposed');
});

Deno.test("Stream makes a bind group once for the same buffers and again after they are gone", async () => {
  using fresh = await Gpu.open();
  using x = fresh.upload(new Float32Array([1]), [1], "x");
  using y = fresh.tensor([1], "y");
  let made = 0;
  const { device, stream } = fresh;
  const original = device.createBindGroup;
  device.createBindGroup = (descriptor) => {
    made++;
    return original.call(device, descriptor);
  };
  try {
    for (let i = 0; i < 10; i++) affine(stream, x, y, 1, i);
    assertEquals(made, 1);
    affine(stream, y, x, 1, 0);
    assertEquals(made, 2);
    const lent = fresh.tensor([1000], "lent");
    affine(stream, lent, y, 1, 0);
    lent.dispose();
    fresh.trim();
    assertEquals(made, 3);
    using again = fresh.tensor([1000], "again");
    affine(stream, again, y, 1, 0);
    affine(stream, x, y, 1, 5);
    assertEquals(made, 4);
    const [values] = await stream.read(y);
    assertEquals(values.length, 1);
  } finally {
    device.createBindGroup = original;
  }
});

Deno.test("Stream.observe() names the variant of each dispatch and stops after the body, also when it throws", () => {
  using x = gpu.upload(new Float32Array([1]), [1], "x");
  using y = gpu.tensor([1], "y");
  const seen: string[] = [];
  const see = (variant: string): void => void seen.push(variant);
  stream.observe(see, () => {
    affine(stream, x, y, 1, 0);
    stream.dispatch(AFFINE, {
      tensors: [x, y],
      params: { length: 1, offset: 0, factor: 1 },
      groups: [1, 1, 1],
      constants: { WG: 8 },
    });
  });
  assertThrows(() =>
    stream.observe(see, () => {
      throw new Error("stopped");
    })
  );
  affine(stream, x, y, 1, 0);
  assertEquals(seen, ["affine", "affine(WG=8)"]);
});

Deno.test("Stream.copy() moves a range of elements and leaves the rest", async () => {
  using x = gpu.upload(new Float32Array([1, 2, 3, 4]), [4], "x");
  using y = gpu.upload(new Float32Array([9, 9, 9]), [3], "y");
  stream.copy(x, y, { from: 2, to: 1 });
  using half = gpu.upload(new Uint8Array([1, 0, 2, 0, 3, 0]), [3], "half", "f16");
  using other = gpu.zeros([3], "other", "f16");
  stream.copy(half, other);
  stream.copy(x, y, { elements: 0 });
  const [values, words] = await stream.read(y, other);
  assertEquals([...values], [9, 3, 4]);
  assertEquals([...new Uint8Array(words.buffer, words.byteOffset, 6)], [1, 0, 2, 0, 3, 0]);
});

Deno.test("Stream.copy() refuses ranges outside, torn words, other dtypes and one buffer", () => {
  using x = gpu.zeros([4], "x");
  using y = gpu.zeros([3], "y");
  using half = gpu.zeros([4], "half", "f16");
  using other = gpu.zeros([4], "other", "f16");
  assertThrows(
    () => stream.copy(x, y),
    RangeError,
    'Cannot copy 4 elements from "x" [4] f32 at 0 to "y" [3] f32 at 0: the range must lie inside both',
  );
  for (const range of [{ from: 3, elements: 2 }, { from: -1, elements: 1 }, { to: 0.5, elements: 1 }]) {
    assertThrows(() => stream.copy(x, y, range), RangeError, "the range must lie inside both");
  }
  assertThrows(() => stream.copy(x, half), TypeError, "the dtypes must match");
  assertThrows(() => stream.copy(x, x.view([2, 2]), { to: 2, elements: 2 }), TypeError, "they are one buffer");
  for (const range of [{ from: 1, elements: 2 }, { to: 1, elements: 2 }, { elements: 1 }]) {
    assertThrows(() => stream.copy(half, other, range), RangeError, "half types are copied by 32-bit words");
  }
});

Deno.test("Stream.read() returns several tensors of different kinds from one wait, empty ones too", async () => {
  using a = gpu.upload(new Float32Array([1, 2, 3]), [3], "a");
  using none = gpu.tensor([0, 5], "none");
  using b = gpu.upload(new Uint32Array([7]), [1], "b");
  const counts = await counted(async () => {
    const [x, y, z] = await stream.read(a, none, b);
    assertEquals([x instanceof Float32Array, z instanceof Uint32Array], [true, true]);
    assertEquals([[...x], [...y], [...z]], [[1, 2, 3], [], [7]]);
  });
  assertEquals(counts, [1, 0, 1]);
  assertEquals(await stream.read(), []);
});

Deno.test("Stream reports what the driver refuses as GpuError at the next read", async () => {
  const other = await Gpu.open();
  const x = other.upload(new Float32Array([1]), [1], "x");
  affine(other.stream, x, x, 1, 0);
  await assertRejects(() => other.stream.read(x), GpuError, "The GPU reported: ");
  x.dispose();
  other.close();
});

Deno.test("Stream leaves no tensor behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});

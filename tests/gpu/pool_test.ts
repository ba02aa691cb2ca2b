import { assert, assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { BufferPool } from "../../src/gpu/pool.ts";
import type { PooledBuffer } from "../../src/gpu/tensor.ts";

const gpu = await Gpu.open();
const MIB = 1024 * 1024;

Deno.test("BufferPool.roundedSize() steps by half an octave, then by an eighth of one", () => {
  assertEquals([0, 1, 256, 257].map((bytes) => BufferPool.roundedSize(bytes)), [256, 256, 256, 512]);
  assertEquals(BufferPool.roundedSize(MIB), MIB);
  assertEquals(BufferPool.roundedSize(MIB + 1), MIB + MIB / 8);
  assertEquals(BufferPool.roundedSize(2 * MIB - 1), 2 * MIB);
  for (let bytes = 1; bytes < 2 ** 33; bytes = Math.ceil(bytes * 1.37)) {
    const size = BufferPool.roundedSize(bytes);
    assert(size >= bytes && size % 4 === 0 && (size < bytes + 256 || size <= bytes * (size > MIB ? 1.125 : 1.5)));
  }
});

Deno.test("BufferPool.roundedSize() does not round past the device's limit", () => {
  assertEquals(BufferPool.roundedSize(4200000000, 4294967292), 4294967292);
  assertEquals(BufferPool.roundedSize(4294967292, 4294967292), 4294967292);
  assertEquals(BufferPool.roundedSize(1000, 4294967292), 1024);
});

Deno.test("BufferPool reuses a pending buffer for ordered work at once, and for uploads after the submit", () => {
  const pool = new BufferPool(gpu.device);
  const first = pool.take(1000, false);
  pool.give(first);
  const upload = pool.take(1000, false);
  assertNotEquals(upload.id, first.id);
  assertStrictEquals(pool.take(1000, true), first);
  pool.give(first);
  pool.submitted();
  assertStrictEquals(pool.take(1000, false), first);
  pool.give(first);
  pool.give(upload);
  pool.submitted();
  pool.trim();
});

Deno.test("BufferPool gives the buffer made first, so that repeated work meets the same buffers", () => {
  const pool = new BufferPool(gpu.device);
  const [a, b, c] = [1, 2, 3].map(() => pool.take(256, true)) as [PooledBuffer, PooledBuffer, PooledBuffer];
  for (const buffer of [b, c, a]) pool.give(buffer);
  assertEquals([pool.take(256, true), pool.take(256, true)].map(({ id }) => id), [a.id, b.id]);
  for (const buffer of [b, a]) pool.give(buffer);
  pool.submitted();
  assertEquals([1, 2, 3].map(() => pool.take(256, false).id), [a.id, b.id, c.id]);
  for (const buffer of [a, b, c]) pool.give(buffer);
  pool.submitted();
  pool.trim();
});

Deno.test("BufferPool reuses only buffers of the same rounded size", () => {
  const pool = new BufferPool(gpu.device);
  const first = pool.take(1000, true);
  pool.give(first);
  const larger = pool.take(1025, true);
  assertNotEquals(larger.id, first.id);
  assertStrictEquals(pool.take(1024, true), first);
  pool.give(first);
  pool.give(larger);
  pool.submitted();
  pool.trim();
});

Deno.test("BufferPool counts live, pooled and peak bytes", () => {
  const pool = new BufferPool(gpu.device);
  const a = pool.take(256, true), b = pool.take(512, true);
  assertEquals([pool.liveBytes, pool.pooledBytes, pool.peakBytes], [768, 0, 768]);
  pool.give(a);
  assertEquals([pool.liveBytes, pool.pooledBytes, pool.peakBytes], [512, 256, 768]);
  pool.submitted();
  assertEquals([pool.liveBytes, pool.pooledBytes], [512, 256]);
  pool.give(b);
  pool.submitted();
  pool.trim();
  assertEquals([pool.liveBytes, pool.pooledBytes, pool.peakBytes], [0, 0, 768]);
});

Deno.test("BufferPool.trim() destroys sizes that were not used for longest first and reports each", () => {
  const pool = new BufferPool(gpu.device);
  const destroyed: number[] = [];
  pool.onDestroy = (id) => destroyed.push(id);
  const small = pool.take(256, true), middle = pool.take(512, true), large = pool.take(1024, true);
  for (const buffer of [small, middle, large]) pool.give(buffer);
  pool.submitted();
  pool.give(pool.take(256, false)); // the smallest becomes the last used
  pool.submitted();
  pool.trim(1300);
  assertEquals(destroyed, [middle.id]);
  pool.trim(300);
  assertEquals(destroyed, [middle.id, large.id]);
  pool.trim();
  assertEquals(destroyed, [middle.id, large.id, small.id]);
});

Deno.test("BufferPool keeps no more free bytes than it may", () => {
  const pool = new BufferPool(gpu.device, 1024);
  const buffers = [pool.take(512, true), pool.take(512, true), pool.take(512, true)];
  for (const buffer of buffers) pool.give(buffer);
  assertEquals(pool.pooledBytes, 1536);
  pool.submitted();
  assertEquals(pool.pooledBytes, 1024);
  pool.trim();
});

Deno.test("BufferPool leaves the device's own pool alone", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});

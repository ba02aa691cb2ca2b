import { assertEquals, assertThrows } from "@std/assert";
import { rotary } from "../../kernels/rotary.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { centralDifference } from "../reference/central_difference.ts";
import { rotateHead } from "../reference/rotary.ts";
import { assertWithin, normals, shuffled, UNIT, withGpuThreads } from "./operands.ts";

const gpu = await Gpu.open();
const STYLES = ["pairs", "halves"] as const;

/** Cosines and sines of the usual angles position / 10000^(2 i / dims), rounded to f32. */
function cosSinTable(maxPos: number, dims: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: maxPos * dims }, (_, i) => {
    const angle = Math.floor(i / dims) / 10000 ** (2 * Math.floor(i % dims / 2) / dims);
    return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
  });
}

/** Compares both styles, forward and back, with the twin: `heads` of queries and of keys. */
async function check(
  rows: number,
  heads: readonly [q: number, k: number],
  dHead: number,
  dims: number,
  groupLimit?: number,
): Promise<void> {
  const maxPos = rows + 3;
  const data = heads.map((count, i) => normals("qk"[i]!, rows * count * dHead));
  const positions = shuffled("position", maxPos).slice(0, rows);
  const angles = cosSinTable(maxPos, dims);
  using q = gpu.upload(data[0]!, [rows, heads[0], dHead], "q");
  using k = gpu.upload(data[1]!, [rows, heads[1], dHead], "k");
  using position = gpu.upload(positions, [rows], "position");
  using table = gpu.upload(angles, [maxPos, dims / 2, 2], "table");
  for (const style of STYLES) {
    for (const inverse of [false, true]) {
      const turned = rotary(gpu.stream, { q, k, position, table }, { style, inverse, groupLimit });
      using yq = turned.q;
      using yk = turned.k;
      for (const [which, got] of (await gpu.stream.read(yq, yk)).entries()) {
        for (let i = 0; i < rows * heads[which]!; i++) {
          const head = data[which]!.subarray(i * dHead, (i + 1) * dHead);
          const at = positions[Math.floor(i / heads[which]!)]! * dims;
          const want = rotateHead(head, angles.subarray(at, at + dims), style, inverse);
          // Two products and a sum of numbers no larger than the head's largest.
          const size = head.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
          const bound = want.map((_, column) => column < dims ? 2 * 2 * UNIT * 2 * size : 0);
          const what = `${style} ${inverse} head ${i} of ${"qk"[which]}`;
          assertWithin(got.subarray(i * dHead, (i + 1) * dHead), want, bound, what);
        }
      }
    }
  }
}

Deno.test("rotary() agrees with its twin for whole and partial heads, also of odd width", async () => {
  await check(1, [1, 1], 2, 2);
  await check(5, [3, 1], 8, 8);
  await check(3, [2, 2], 7, 4);
  await check(2, [3, 3], 5, 0);
  await check(4, [2, 1], 128, 64);
});

Deno.test("rotary() agrees with its twin with the thread counts of a GPU", async () => {
  await withGpuThreads(gpu, async () => await check(3, [4, 2], 36, 32));
});

Deno.test("rotary() folds rows over two grid dimensions", async () => {
  await check(7, [2, 1], 4, 4, 3);
});

Deno.test("rotary() back is the gradient of rotary() forward", () => {
  const [x, dy] = [normals("x", 6), normals("dy", 6)];
  const angles = cosSinTable(4, 4).subarray(12);
  for (const style of STYLES) {
    const loss = (at: Float64Array) => rotateHead(at, angles, style, false).reduce((sum, v, i) => sum + v * dy[i]!, 0);
    const slope = centralDifference(loss, x, 0.5);
    // The function is linear: only roundings of float64 remain.
    assertWithin(slope, rotateHead(dy, angles, style, true), new Float64Array(6).fill(1e-13), style);
  }
});

Deno.test("rotary() takes any leading dimensions and dispatches nothing for no rows", () => {
  using q = gpu.upload(normals("q", 48), [2, 3, 2, 4], "q");
  using k = gpu.upload(normals("k", 24), [2, 3, 1, 4], "k");
  using position = gpu.upload(new Uint32Array(6), [2, 3], "position");
  using table = gpu.upload(cosSinTable(2, 4), [2, 2, 2], "table");
  const turned = rotary(gpu.stream, { q, k, position, table }, { style: "pairs" });
  using yq = turned.q;
  using yk = turned.k;
  assertEquals([yq.shape, yk.shape], [[2, 3, 2, 4], [2, 3, 1, 4]]);
  using none = gpu.tensor([0, 1, 4], "none");
  using nowhere = gpu.tensor([0], "nowhere", "u32");
  const before = gpu.stats().dispatches;
  const empty = rotary(gpu.stream, { q: none, k: none, position: nowhere, table }, { style: "pairs" });
  using emptyQ = empty.q;
  using emptyK = empty.k;
  assertEquals([emptyQ.shape, emptyK.shape, gpu.stats().dispatches - before], [[0, 1, 4], [0, 1, 4], 0]);
});

Deno.test("rotary() refuses operands that do not fit each other", () => {
  using q = gpu.upload(normals("q", 8), [2, 1, 4], "q");
  using position = gpu.upload(new Uint32Array(3), [3], "position");
  using wide = gpu.upload(cosSinTable(2, 6), [2, 3, 2], "wide");
  using table = gpu.upload(cosSinTable(2, 4), [2, 2, 2], "table");
  using flat = gpu.upload(normals("flat", 4), [4], "flat");
  using more = gpu.upload(normals("more", 12), [3, 1, 4], "more");
  const refused = (input: Partial<Parameters<typeof rotary>[1]>, message: string): void => {
    assertThrows(
      () => rotary(gpu.stream, { q, k: q, position, table, ...input }, { style: "pairs" }),
      RangeError,
      `Cannot apply rotary embedding: ${message}`,
    );
  };
  refused(
    { table: wide },
    "q must be [..., nHeads, dHead] and table [maxPos, dims / 2, 2] with dims <= dHead, got [2, 1, 4] and [2, 3, 2]",
  );
  refused({}, "position must have 2 elements, got 3 in [3]");
  refused({ q: flat }, "q must be [..., heads, dHead], got [4]");
  refused({ k: more }, "k must have 2 rows of heads of 4, got [3, 1, 4]");
});

Deno.test("rotary() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});

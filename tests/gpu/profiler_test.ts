import { assert, assertEquals, assertRejects } from "@std/assert";
import { GpuError } from "../../src/gpu/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { affine, increase } from "./sample_kernels.ts";

const gpu = await Gpu.open();
const { stream } = gpu;

Deno.test("Stream.profile() times every launch in order, over several submits, and changes no result", async () => {
  using x = gpu.upload(new Float32Array([1, 2, 3]), [3], "x");
  using y = gpu.tensor([3], "y");
  const { result, launches } = await stream.profile(async () => {
    for (let i = 0; i < 2500; i++) increase(stream, x, 1);
    affine(stream, x, y, 2, -1);
    const [values] = await stream.read(y);
    increase(stream, x, 1);
    return [...values];
  });
  assertEquals(result, [5001, 5003, 5005]);
  assertEquals(launches.map(({ kernel }) => kernel), [
    ...new Array(2500).fill("increase"),
    "affine",
    "increase",
  ]);
  assertEquals([launches[0].bytes, launches[2500].bytes, launches[0].operations], [12, 24, 0]);
  assert(launches.every(({ durationNs }) => durationNs >= 0 && durationNs < 1e9));
  assert(launches.some(({ durationNs }) => durationNs > 0));
  const starts = launches.map(({ startNs }) => startNs);
  assertEquals(starts, starts.toSorted((a, b) => a - b));
});

Deno.test("Stream.profile() ends with its body, also when that fails", async () => {
  await assertRejects(() => stream.profile(() => Promise.reject(new TypeError("stop"))), TypeError, "stop");
  const { launches } = await stream.profile(() => Promise.resolve());
  assertEquals(launches, []);
});

Deno.test("Stream.profile() refuses a second profile inside the first, and a device without timestamps", async () => {
  await assertRejects(
    () => stream.profile(() => stream.profile(() => Promise.resolve())),
    GpuError,
    "Cannot take a profile inside another: end the first one",
  );
  using plain = await Gpu.open({ without: ["timestamps"] });
  await assertRejects(
    () => plain.stream.profile(() => Promise.resolve()),
    GpuError,
    "gives no timestamps, wanted the feature timestamp-query. Run without --profile",
  );
});

Deno.test("no live bytes are left on the device", () => {
  assertEquals(gpu.memory().live, 0);
  gpu[Symbol.dispose]();
});

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { readSearchLog } from "../../src/editing/search_log.ts";

Deno.test("readSearchLog() takes each line apart: parts of the loss, rows of labels, lengths", () => {
  // nll, factor, kl, wd, loss, met, 2 unused; log p of 2 + 1 labels; 2 lengths.
  const lines = Float32Array.of(
    ...[3, 1, 0.5, 0.25, 3.75, 0, -7, -7, -1, -3, -4, 0, 0],
    ...[2, 0.125, 0.5, 0.5, 1.25, 1, -7, -7, -0.5, -1, -0.25, 1.5, 2.5],
    ...new Array<number>(13).fill(-9),
  );
  const steps = readSearchLog(lines, 2, [2, 1], 2);
  assertEquals(steps, [
    { step: 0, nll: 3, factor: 1, kl: 0.5, wd: 0.25, loss: 3.75, met: false, nllEach: [2, 4], norms: [0, 0] },
    {
      step: 1,
      nll: 2,
      factor: 0.125,
      kl: 0.5,
      wd: 0.5,
      loss: 1.25,
      met: true,
      nllEach: [0.75, 0.25],
      norms: [1.5, 2.5],
    },
  ]);
});

Deno.test("readSearchLog() gives no step for none, and no row for none", () => {
  assertEquals(readSearchLog(new Float32Array(9), 0, [], 1), []);
  const [step] = readSearchLog(Float32Array.of(0, 1, 0, 0.1, 0.1, 1, 0, 0, 2), 1, [], 1);
  assertEquals(step!.nllEach, []);
  assertAlmostEquals(step!.wd, 0.1, 1e-8);
});

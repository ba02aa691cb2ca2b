import { assertEquals, assertThrows } from "@std/assert";
import { choleskyUpdate } from "../../kernels/cholesky_update.ts";
import { suitsBlockProducts } from "../../kernels/cholesky_block.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { sumOfProducts } from "../reference/cholesky.ts";
import { starts } from "./cholesky_operands.ts";
import { assertWithin, normals, UNIT } from "./operands.ts";

const BLOCK = 64;

// Without subgroups every device runs the plain kernel.
for (const gpu of [await Gpu.open(), await Gpu.open({ without: ["subgroups"] })]) {
  const variant = suitsBlockProducts(gpu) ? "cholesky_update_subgroup" : "cholesky_update";

  Deno.test(`choleskyUpdate() as ${variant} agrees with its twin on the lower triangle and copies the panel`, async () => {
    for (const n of [128, 192, 256]) {
      for (const start of starts(n)) {
        const panelValues = normals("panel", n * BLOCK);
        const before = normals("a", n * n);
        using panel = gpu.upload(panelValues, [n, BLOCK], "panel");
        using a = gpu.upload(before, [n, n], "a");
        choleskyUpdate(gpu.stream, { panel, a }, { start });
        const [got] = await gpu.stream.read(a);
        const below = start + BLOCK;
        for (let i = 0; i < n; i++) {
          for (let j = 0; j <= i; j++) {
            const at = i * n + j;
            if (i < below || j < start) assertEquals(got[at], before[at]);
            else if (j < below) assertEquals(got[at], panelValues[i * BLOCK + j - start]);
            else {
              const { value, size } = sumOfProducts(
                BLOCK,
                (k) => panelValues[i * BLOCK + k],
                (k) => panelValues[j * BLOCK + k],
              );
              const bound = (2 * BLOCK + 2) * UNIT * (size + Math.abs(before[at]));
              assertWithin([got[at]], [before[at] - value], [bound], `${i}, ${j} of ${n} from ${start}`);
            }
          }
          for (let j = Math.ceil((i + 1) / 32) * 32; j < n; j++) {
            if (j >= below || i < below) assertEquals(got[i * n + j], before[i * n + j]);
          }
        }
      }
    }
  });

  Deno.test(`choleskyUpdate() as ${variant} keeps tiles on the diagonal symmetric bit by bit`, async () => {
    using panel = gpu.upload(normals("panel", 128 * BLOCK), [128, BLOCK], "panel");
    using a = gpu.zeros([128, 128], "a");
    choleskyUpdate(gpu.stream, { panel, a }, { start: 0 });
    const [got] = await gpu.stream.read(a);
    for (let i = 64; i < 96; i++) for (let j = 64; j < 96; j++) assertEquals(got[i * 128 + j], got[j * 128 + i]);
  });

  Deno.test(`choleskyUpdate() as ${variant} after the last block dispatches nothing`, () => {
    using a = gpu.tensor([64, 64], "a");
    using panel = gpu.tensor([64, 64], "panel");
    const before = gpu.stats().dispatches;
    choleskyUpdate(gpu.stream, { panel, a }, { start: 0 });
    assertEquals(gpu.stats().dispatches, before);
  });

  Deno.test(`choleskyUpdate() as ${variant} refuses a matrix that is not square`, () => {
    using a = gpu.tensor([128, 64], "a");
    using panel = gpu.tensor([128, 64], "panel");
    assertThrows(
      () => choleskyUpdate(gpu.stream, { panel, a }, { start: 0 }),
      RangeError,
      "Cannot update a trailing matrix: a must have shape [128, 128], got [128, 64]",
    );
  });

  Deno.test(`choleskyUpdate() as ${variant} leaves no tensor behind`, () => {
    assertEquals(gpu.memory().live, 0);
    gpu.close();
  });
}

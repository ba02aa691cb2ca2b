import { assert, assertEquals } from "@std/assert";
import { layerNorm } from "../../kernels/layer_norm.ts";
import { matmulNt } from "../../kernels/matmul_nt.ts";
import { projectedLogProb } from "../../kernels/projected_log_prob.ts";
import { rmsNorm } from "../../kernels/rms_norm.ts";
import { softmax } from "../../kernels/softmax.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { normals, uploadWeight } from "./operands.ts";

const wide = await Gpu.open();
const narrow = await Gpu.open({ without: ["u64"] });
const ignore = wide.subgroupSize !== 8 || !wide.features.has("u64");

/** Results of every kernel that loads octets, and the names of the kernels. */
async function resultsOf(gpu: Gpu): Promise<{ results: Float32Array[]; kernels: Set<string> }> {
  using stack = new DisposableStack();
  const x = stack.use(gpu.upload(normals("x", 5 * 72), [5, 72], "x"));
  const bias = stack.use(gpu.upload(normals("bias", 72), [72], "bias"));
  const square = stack.use(gpu.upload(normals("square", 72 * 72), [72, 72], "square"));
  const half = stack.use(uploadWeight(gpu, normals("half", 72 * 72), [72, 72], "bf16").tensor);
  const row = stack.use(gpu.upload(normals("row", 80), [1, 80], "row"));
  const wideHalf = stack.use(uploadWeight(gpu, normals("half", 72 * 80), [72, 80], "f16").tensor);
  const token = stack.use(gpu.upload(new Uint32Array([3, 71, 0, 8, 9]), [5], "token", "u32"));
  const kernels = new Set<string>();
  const outputs: ReturnType<typeof softmax>[] = [];
  gpu.stream.observe((variant) => kernels.add(variant.replace(/\(.*/, "")), () => {
    for (
      const output of [
        softmax(gpu.stream, { x }),
        rmsNorm(gpu.stream, { x, weight: bias }, { eps: 1e-5 }),
        layerNorm(gpu.stream, { x, weight: bias, bias }, { eps: 1e-5 }),
        matmulNt(gpu.stream, { a: x, b: square, bias }),
        matmulNt(gpu.stream, { a: x, b: half }),
        matmulNt(gpu.stream, { a: row, b: wideHalf, bias }, { variant: "matvec" }),
        projectedLogProb(gpu.stream, { a: x, b: half, bias, token }),
      ]
    ) outputs.push(stack.use(output));
  });
  return { results: await gpu.stream.read(...outputs) as Float32Array[], kernels };
}

Deno.test({
  name: "kernels that load octets give the same bits by words of 64 bits and of 32",
  ignore,
  async fn() {
    const [one, other] = [await resultsOf(wide), await resultsOf(narrow)];
    for (const name of ["softmax_subgroup", "rms_norm_subgroup", "layer_norm_subgroup", "matmul_subgroup_octet"]) {
      assert(one.kernels.has(`${name}_wide`) && other.kernels.has(name), `${name} in both forms`);
    }
    assert(one.kernels.has("matvec_octet_wide") && other.kernels.has("matvec_octet"));
    assert(other.kernels.has("projected_log_prob_subgroup"));
    assertEquals(one.results, other.results);
  },
});

Deno.test("kernels that load octets leave no memory behind", () => {
  assertEquals([wide.memory().live, narrow.memory().live], [0, 0]);
  wide.close();
  narrow.close();
});

/**
 * What the first use of every kernel costs in a process that has compiled none.
 *
 * @module
 */
import { attention } from "../../../kernels/attention.ts";
import { attentionBackward } from "../../../kernels/attention_backward.ts";
import { crossEntropy } from "../../../kernels/cross_entropy.ts";
import { embedding } from "../../../kernels/embedding.ts";
import { gelu } from "../../../kernels/gelu.ts";
import { layerNorm } from "../../../kernels/layer_norm.ts";
import { matmulNn } from "../../../kernels/matmul_nn.ts";
import { matmulNt } from "../../../kernels/matmul_nt.ts";
import { rankK } from "../../../kernels/rank_k.ts";
import { rmsNorm } from "../../../kernels/rms_norm.ts";
import { rotary } from "../../../kernels/rotary.ts";
import { siluGated } from "../../../kernels/silu_gated.ts";
import { softmax } from "../../../kernels/softmax.ts";
import { topK } from "../../../kernels/top_k.ts";
import { Gpu } from "../../gpu/gpu.ts";
import type { GpuOptions } from "../../gpu/options.ts";
import type { CompileTime } from "../../gpu/pipelines.ts";
import type { Dtype, Tensor } from "../../gpu/tensor.ts";

/** What first use costs. */
export interface FirstUse {
  /** Variants compiled. */
  kernels: number;
  /** All that the first run of each takes more than the second, in milliseconds. */
  totalMs: number;
  /** Part of it in which shaders were translated and handed to the driver, which may compile them as late as they run. */
  compileMs: number;
  /** Variants that took longest to translate and hand over, slowest first. */
  slowest: CompileTime[];
}

/** Sizes of a small model: residual, MLP, heads, vocabulary and a prompt's tokens. */
const SIZES = { dModel: 576, dMlp: 1536, nHeads: 9, nKvHeads: 3, dHead: 64, vocab: 49152, tokens: 60 };

/** Types of weights whose products are compiled. */
const DTYPES: readonly Dtype[] = ["f32", "bf16", "q4_1"];

/** Variants named. */
const SLOWEST = 5;

/** Records every kernel of a model's answer, of gradients and of second moments once. */
function recordAll({ gpu, make }: { gpu: Gpu; make: (shape: number[], dtype?: Dtype) => Tensor }): void {
  const { stream } = gpu;
  const { dModel, dMlp, nHeads, nKvHeads, dHead, vocab, tokens } = SIZES;
  using made = new DisposableStack();
  const keep = (...tensors: Tensor[]): void => tensors.forEach((tensor) => made.use(tensor));
  const x = make([tokens, dModel]);
  const wide = make([tokens, dMlp]);
  for (const dtype of DTYPES) {
    const up = make([dMlp, dModel], dtype);
    keep(matmulNt(stream, { a: x, b: up }), matmulNt(stream, { a: make([1, dModel]), b: up }));
    keep(matmulNn(stream, { a: wide, b: up }));
    keep(embedding(stream, { weight: make([64, dModel], dtype), ids: make([tokens], "u32") }));
  }
  const weight = make([dModel]);
  keep(rmsNorm(stream, { x, weight }, { eps: 1e-5 }), layerNorm(stream, { x, weight, bias: weight }, { eps: 1e-5 }));
  keep(siluGated(stream, { gate: wide, up: wide }), gelu(stream, { x: wide }, { kind: "tanh" }));
  const [q, k, v] = [nHeads, nKvHeads, nKvHeads].map((heads) => make([1, tokens, heads, dHead])) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const position = make([tokens], "u32");
  const table = make([tokens, dHead / 2, 2]);
  keep(...Object.values(rotary(stream, { q, k, position, table }, { style: "halves" })));
  const mask = { start: make([1], "u32"), length: make([1], "u32") };
  const { z, logSumExp } = attention(stream, { q, k, v, ...mask });
  keep(z, logSumExp);
  keep(
    ...Object.values(
      attentionBackward(stream, { dz: make([1, tokens, nHeads, dHead]), z, q, k, v, logSumExp, ...mask }),
    ),
  );
  const logits = make([1, vocab]);
  keep(softmax(stream, { x: logits }), ...Object.values(crossEntropy(stream, { logits, target: make([1], "u32") })));
  keep(...Object.values(topK(stream, { x: logits }, { k: 5 })));
  rankK(stream, { x, into: make([dModel, dModel]) });
}

/**
 * Runs every kernel of everyday work at the sizes of a small model, twice, on a device that has compiled none.
 *
 * @param options How the device is opened.
 */
export async function measureFirstUse(options: GpuOptions = {}): Promise<FirstUse> {
  using gpu = await Gpu.open(options);
  const operands = new Map<string, Tensor>();
  const make = (shape: number[], dtype: Dtype = "f32"): Tensor => {
    const key = `${shape} ${dtype}`;
    let tensor = operands.get(key);
    if (!tensor) operands.set(key, tensor = gpu.zeros(shape, "first use", dtype));
    return tensor;
  };
  const run = async (): Promise<number> => {
    const begin = performance.now();
    recordAll({ gpu, make });
    gpu.stream.submit();
    await gpu.device.queue.onSubmittedWorkDone();
    return performance.now() - begin;
  };
  const firstMs = await run();
  const secondMs = await run();
  for (const tensor of operands.values()) tensor.dispose();
  const times = [...gpu.pipelines.compileTimes].sort((a, b) => b.ms - a.ms);
  return {
    kernels: times.length,
    totalMs: Math.max(0, firstMs - secondMs),
    compileMs: times.reduce((sum, { ms }) => sum + ms, 0),
    slowest: times.slice(0, SLOWEST),
  };
}

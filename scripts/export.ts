/** `deno task export`: writes a model with its edits as a folder that Python's `transformers` loads. */
import { Option } from "commander";
import { Progress } from "../src/display/progress.ts";
import { exportModel } from "../src/editing/export_model.ts";
import type { ExportDtype } from "../src/editing/export_tensors.ts";
import { Gpu } from "../src/gpu/gpu.ts";
import { command, type CommonFlags, oneOf, run, UsageError } from "./cli/command.ts";
import { type GpuFlags, gpuOptions, withVariantFlag } from "./cli/gpu_options.ts";
import { modelPath } from "./cli/model_path.ts";

const MEBIBYTE = 2 ** 20;

const program = withVariantFlag(
  command(
    "export",
    "Writes a model with its edits as a Hugging Face folder: config, tokenizer, safetensors weights.",
    "deno task export --patch out/berlin.safetensors --out out/berlin-model",
    { without: ["seed"], out: "folder to write; it must not be there, or be empty" },
  ),
)
  .addOption(
    new Option("--patch <files...>", "edits saved by `edit --save`, in the order to apply them").default([], "none"),
  )
  .option(
    "--dtype <name>",
    "keep, f32, bf16 or f16; keep leaves stored types and writes edited matrices in f32, bf16 and f16 round the edit",
    oneOf(["keep", "f32", "bf16", "f16"]),
    "keep",
  );

await run(program, async (signal) => {
  const flags = program.opts<Omit<CommonFlags, "seed"> & GpuFlags & { patch: string[]; dtype: ExportDtype }>();
  const { model, out, patch, dtype, json } = flags;
  if (out === undefined) throw new UsageError("Cannot export without a folder to write: give --out DIR");
  const twice = patch.find((file, i) => patch.indexOf(file) !== i);
  if (twice !== undefined) throw new UsageError(`Cannot apply ${twice} twice: name each patch once`);
  const path = await modelPath(model);
  using gpu = await Gpu.open(gpuOptions(flags));
  let bar: Progress | undefined;
  const report = await exportModel(gpu, path, out, {
    patches: patch,
    dtype,
    signal,
    onProgress: (bytes, total) => {
      bar ??= new Progress("Writing weights", Math.ceil(total / MEBIBYTE));
      bar.update(Math.floor(bytes / MEBIBYTE), "MiB");
    },
  });
  bar?.finish(`${(report.bytes / MEBIBYTE).toFixed(1)} MiB`);
  const rounded = report.edits.filter(({ written }) => written !== "F32");
  const text = [
    `Wrote ${out}: ${report.files.join(", ")}`,
    ...report.edits.map(({ tensor, stored, written }) =>
      `edited ${tensor}: stored as ${stored}, written as ${written}`
    ),
    ...(rounded.length > 0 ? ["The edit is rounded to that type; --dtype keep or f32 keeps it exact"] : []),
    ...(report.files.includes("tokenizer.json")
      ? []
      : ["Without a tokenizer: none lies beside the model or is known from its metadata"]),
    `Load it in Python: transformers.AutoModelForCausalLM.from_pretrained(${JSON.stringify(out)})`,
  ];
  console.log(json ? JSON.stringify({ out, ...report }) : text.join("\n"));
});

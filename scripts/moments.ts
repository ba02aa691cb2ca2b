/** `deno task moments`: second moments of a model's MLP keys, kept in a folder for edits to use. */
import { Progress } from "../src/display/progress.ts";
import { readCorpus } from "../src/editing/corpus.ts";
import { MOMENT_DOCUMENTS } from "../src/editing/defaults.ts";
import { SecondMoments } from "../src/editing/second_moments.ts";
import { prepareFolder, run, UsageError, wholeNumber, wholeNumbers } from "./cli/command.ts";
import { modelCommand, type ModelFlags, withModel } from "./cli/with_model.ts";

const program = modelCommand(
  "moments",
  "Computes second moments over a corpus and keeps them; a stopped run goes on where it was.",
  "deno task moments --corpus fixtures/world/corpus.txt --layers 6,7 --out out/moments",
  { without: ["seed"], out: 'folder of the moments (default: "out/moments")' },
)
  .requiredOption("--corpus <file>", "text whose knowledge edits preserve, one document a line")
  .option("--documents <n>", "documents taken from its start", wholeNumber, MOMENT_DOCUMENTS)
  .option("--layers <numbers>", "layers, parted by commas; all if absent", wholeNumbers);

await run(program, async (signal, keep) => {
  const flags = program.opts<Omit<ModelFlags, "seed"> & { corpus: string; documents: number; layers?: number[] }>();
  const out = flags.out ?? "out/moments";
  if (flags.documents === 0) throw new UsageError("Cannot compute second moments of 0 documents: give --documents");
  await prepareFolder(out);
  const documents = await readCorpus(flags.corpus, flags.documents);
  await withModel(flags.model, flags, signal, async (model) => {
    const { nLayers } = model.config;
    const layers = flags.layers ? [...new Set(flags.layers)] : Array.from({ length: nLayers }, (_, layer) => layer);
    const outside = layers.find((layer) => layer >= nLayers);
    if (outside !== undefined) {
      throw new UsageError(`Cannot compute layer ${outside}: the model has layers 0 to ${nLayers - 1}`);
    }
    let counted = 0;
    keep(() =>
      `${counted} of ${documents.length} documents are counted in ${out}; the same command goes on from there`
    );
    using progress = new Progress("Second moments", documents.length);
    const moments = await SecondMoments.compute(model, {
      documents,
      layers,
      cacheDir: out,
      signal,
      onProgress: (done) => {
        counted = done;
        progress.update(done);
      },
    });
    progress.finish(`${moments.tokens} tokens of ${documents.length} documents, layers ${layers.join(", ")}`);
    if (flags.json) console.log(JSON.stringify({ out, modelHash: model.hash, tokens: moments.tokens, layers }));
    else console.log(`Kept in ${out}; add to deno task edit: --corpus ${flags.corpus} --moments-cache ${out}`);
  });
});

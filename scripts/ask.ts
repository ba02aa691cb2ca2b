/** `deno task ask`: continues a prompt; `--top` shows the likeliest next tokens. */
import { fromFlags, handOut, numberFrom0, prepareFile, run, UsageError, wholeNumber } from "./cli/command.ts";
import { modelCommand, type ModelFlags, withModel } from "./cli/with_model.ts";
import { checkCount, nextTokens } from "../src/model/next_tokens.ts";
import { checkSampling } from "../src/model/sampling.ts";
import { terminalTable } from "../src/display/table.ts";

const program = modelCommand(
  "ask",
  "Continues a prompt and streams the answer.",
  'deno task ask --top 5 "The capital of France is"',
)
  .argument("<prompt>", "text to continue")
  .option("--top <n>", "show the n likeliest next tokens instead", wholeNumber)
  .option("--max-tokens <n>", "most new tokens", wholeNumber, 16)
  .option("--temperature <t>", "0 is greedy", numberFrom0, 0)
  .option("--top-k <n>", "sample among the n likeliest", wholeNumber, 50)
  .option("--top-p <p>", "sample among the likeliest with this probability in all", numberFrom0, 1)
  .option("--patch <file>", "apply an edit saved by `edit --save` first");

await run(program, async (signal, keep) => {
  const flags = program.opts<
    ModelFlags & {
      top?: number;
      maxTokens: number;
      temperature: number;
      topK: number;
      topP: number;
      patch?: string;
    }
  >();
  const prompt = program.args[0]!;
  const { top } = flags;
  if (top !== undefined) fromFlags(() => checkCount(top));
  fromFlags(() => checkSampling(flags));
  if (flags.maxTokens === 0) throw new UsageError("Cannot answer with 0 tokens: give --max-tokens 1 or more");
  if (prompt.trim() === "") throw new UsageError("Cannot ask an empty prompt: give some text");
  await prepareFile(flags.out);
  await withModel(flags.model, flags, signal, async (model) => {
    if (flags.patch) {
      const { loadEdit } = await import("../src/editing/patch_file.ts");
      (await loadEdit(model, flags.patch)).apply();
    }
    if (top !== undefined) {
      const tokens = await nextTokens(model, prompt, top);
      signal.throwIfAborted();
      const rows = tokens.map(({ text, probability }) => [JSON.stringify(text), probability.toFixed(4)]);
      const columns = [{ header: "next token" }, { header: "probability", align: "right" as const }];
      return await handOut(flags, { prompt, tokens }, terminalTable({ columns, rows }));
    }
    const options = {
      maxTokens: flags.maxTokens,
      temperature: flags.temperature,
      topK: flags.topK,
      topP: flags.topP,
      seed: flags.seed,
      stopAtSentence: true,
      signal,
    };
    let answer = "";
    // The line of an answer is still open where it is stopped.
    if (!flags.json) keep(() => answer === "" ? "Nothing was answered yet" : "\nWhat was answered stands above");
    for await (const piece of model.generate(prompt, options)) {
      answer += piece;
      if (!flags.json) await Deno.stdout.write(new TextEncoder().encode(piece));
    }
    signal.throwIfAborted();
    await handOut(flags, { prompt, answer }, "");
  });
});

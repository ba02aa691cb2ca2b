/** `deno task pull`: fetches a model from the hub into the cache that the Python library uses too. */
import { dirname } from "node:path";
import { z } from "zod";
import { pullModel } from "../src/checkpoint/hub/pull_model.ts";
import { repoName, revisionName } from "../src/checkpoint/hub/repo_name.ts";
import { readJsonFile } from "../src/checkpoint/json_file.ts";
import { refuseQuantisedFolder } from "../src/checkpoint/quantised_folder.ts";
import { Progress } from "../src/display/progress.ts";
import { readModelConfig } from "../src/model/architectures.ts";
import { command, type CommonFlags, fromFlags, handOut, prepareFile, run } from "./cli/command.ts";

const MEBIBYTE = 2 ** 20;

const program = command(
  "pull",
  "Fetches what is needed of a model from the hub; a broken download goes on where it was. HF_TOKEN gives the token " +
    "for private and gated models, HF_ENDPOINT another hub, HF_HOME or HF_HUB_CACHE another cache.",
  "deno task pull HuggingFaceTB/SmolLM2-135M-Instruct",
  { without: ["model", "seed"] },
)
  .argument("<org/name>", "model on the hub", (text) => fromFlags(() => repoName(text)))
  .option("--revision <name>", "branch, tag or commit", (text) => fromFlags(() => revisionName(text)), "main")
  .option("--gguf <file>", "fetch this one GGUF file instead; * stands for any text");

/** Refuses a family or quantisation that cannot be loaded before its weights are fetched. */
async function checkConfig(path: string): Promise<void> {
  await refuseQuantisedFolder(dirname(path));
  readModelConfig(await readJsonFile(path, z.unknown()), path);
}

/** One bar a file. */
class FileBars implements Disposable {
  #bar: Progress | undefined;
  #file: string | undefined;
  #size = 0;

  update(file: string, bytes: number, size: number): void {
    if (file !== this.#file) {
      this.finish();
      this.#bar = new Progress(file, Math.max(1, Math.ceil(size / MEBIBYTE)));
      [this.#file, this.#size] = [file, size];
    }
    this.#bar!.update(Math.floor(bytes / MEBIBYTE), "MiB");
  }

  finish(): void {
    this.#bar?.finish(`${(this.#size / MEBIBYTE).toFixed(1)} MiB`);
  }

  [Symbol.dispose](): void {
    this.#bar?.[Symbol.dispose]();
  }
}

await run(program, async (signal, keep) => {
  const { revision, gguf, ...flags } = program.opts<
    Pick<CommonFlags, "out" | "json"> & { revision: string; gguf?: string }
  >();
  await prepareFile(flags.out);
  using bars = new FileBars();
  keep(() => "What has arrived is kept; the same command goes on from there");
  const pulled = await pullModel(program.processedArgs[0] as string, {
    revision,
    signal,
    checkConfig,
    ...(gguf === undefined ? {} : { gguf }),
    onProgress: (file, bytes, size) => bars.update(file, bytes, size),
    patience: {
      onWait: (fault, waitMs) => console.error(`${fault}; trying again in ${(waitMs / 1000).toFixed(0)} s`),
    },
  });
  bars.finish();
  const { repo, path, files } = pulled;
  const name = `${repo}${revision === "main" ? "" : `@${revision}`}${gguf === undefined ? "" : `/${files[0]!.path}`}`;
  await handOut(flags, pulled, `In ${path}\nUse it with: deno task ask --model ${name} "..."`);
});

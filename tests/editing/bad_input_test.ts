import { assertEquals, assertRejects } from "@std/assert";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { edit } from "../../src/editing/edit_model.ts";
import type { EditOptions } from "../../src/editing/edit_options.ts";
import { loadFacts } from "../../src/editing/facts.ts";
import { saveEdit } from "../../src/editing/patch_file.ts";
import type { EditRequest } from "../../src/editing/requests.ts";
import { SecondMoments } from "../../src/editing/second_moments.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { diskFull, failingSink, listFolder, withFolder } from "../checkpoint/files.ts";
import { loadSmall } from "../model/model_files.ts";
import { planAt, randomEdit, readOutputs, withStoredMoments } from "./small_edits.ts";

const gpu = await Gpu.open();
const REQUEST: EditRequest = { prompt: "The capital of {} is", subject: "France", target: "Tokyo" };
const FACTS = await loadFacts("fixtures/world/world.json");

/** A call of `edit` that must be refused; what it does not say is a MEMIT edit of one layer that would work. */
interface Refused {
  /** What is wrong with it. */
  what: string;
  /** Requests. Default: one good one. */
  requests?: readonly EditRequest[];
  /** Changes to the options. */
  options?: EditOptions;
  /** Without the second moments that the others have. */
  noMoments?: boolean;
  /** Name of the error. */
  error: "TypeError" | "RangeError" | "FileError";
  /** Its whole message. */
  message: string;
}

const REQUESTS: Refused[] = [
  {
    what: "no request",
    requests: [],
    error: "TypeError",
    message: "Cannot edit with no request: wanted at least one",
  },
  {
    what: "an empty prompt",
    requests: [{ ...REQUEST, prompt: " " }],
    error: "TypeError",
    message: 'Cannot edit with an empty prompt: wanted text, for example "The capital of {} is"',
  },
  {
    what: "a subject that is not in the prompt",
    requests: [{ ...REQUEST, prompt: "The capital of Spain is" }],
    error: "TypeError",
    message:
      'Cannot tell where the subject stands in "The capital of Spain is": there is no {}, and "France" is not in ' +
      "it; write {} in its place",
  },
  {
    what: "a subject that is in the prompt twice",
    requests: [{ ...REQUEST, prompt: "The capital of France, in France, is" }],
    error: "TypeError",
    message: 'Cannot tell where the subject stands in "The capital of France, in France, is": there is no {}, and ' +
      '"France" is in it 2 times; write {} in its place',
  },
  {
    what: "an empty target",
    requests: [{ ...REQUEST, target: "\n" }],
    error: "TypeError",
    message: 'Cannot edit "The capital of France is" to an empty target: wanted the new answer',
  },
  {
    what: "requests that conflict",
    requests: [REQUEST, { ...REQUEST, prompt: "The capital of France is", target: "Rome" }],
    error: "TypeError",
    message:
      'Cannot satisfy both requests 1 ("The capital of France is" -> " Tokyo") and 2 ("The capital of France is" ' +
      '-> " Rome"): they want different answers for one fact; remove one',
  },
  {
    what: "a request twice",
    requests: [REQUEST, REQUEST],
    error: "TypeError",
    message:
      'Cannot edit the same fact twice: requests 1 ("The capital of France is" -> " Tokyo") and 2 ("The capital ' +
      'of France is" -> " Tokyo") are duplicates; remove one',
  },
  {
    what: "a prompt past the context",
    requests: [{ ...REQUEST, prompt: "The ".repeat(200) + "{} is" }],
    error: "RangeError",
    message:
      'Cannot run the model on "The The The The The The The The The The ": found 202 tokens, the context holds ' +
      "128. Shorten the prompt",
  },
];

const OPTIONS: Refused[] = [
  {
    what: "chain mode without facts",
    options: { method: "ace" },
    error: "TypeError",
    message: "Cannot edit in chain mode without facts: found none, wanted other heads that lead to the subject and " +
      "siblings to keep. Give a facts file (`facts: await loadFacts(path)`, or --facts FILE), or use mode paper",
  },
  {
    what: "no corpus and no second moments",
    noMoments: true,
    error: "TypeError",
    message:
      "Cannot edit without second moments: found no corpus, wanted text whose knowledge is to be preserved. Give " +
      "a corpus, one document a line (`corpus: path`, or --corpus FILE), and to reuse what `deno task moments` kept " +
      "also its folder (`momentsCache`, or --moments-cache DIR)",
  },
  {
    what: "a corpus that there is not",
    noMoments: true,
    options: { corpus: "fixtures/nowhere.txt" },
    error: "FileError",
    message: "Cannot read fixtures/nowhere.txt: there is no such file or folder; check the path",
  },
  {
    what: "a corpus that is no text",
    noMoments: true,
    options: { corpus: "docs/demo.png" },
    error: "FileError",
    message:
      "Cannot use corpus docs/demo.png: found bytes that are no UTF-8, wanted text, one document a line; convert " +
      "the file or give another",
  },
  {
    what: "a plan without layers",
    options: { plan: planAt([]) },
    error: "RangeError",
    message: "Cannot edit by this plan: found no layer, wanted some of 0 to 5. Plan again, or name others",
  },
  {
    what: "a plan with a layer that the model does not have",
    options: { plan: planAt([2, 6]) },
    error: "RangeError",
    message: "Cannot edit by this plan: found layer 6, wanted some of 0 to 5. Plan again, or name others",
  },
  {
    what: "the last layer at a token that nothing reads afterwards",
    options: { plan: planAt([5]) },
    error: "RangeError",
    message:
      "Cannot search at layer 5, the last: no attention follows, so a vector at the edited token does not reach " +
      "the prediction at another. Choose an earlier layer or the last token of the prompt",
  },
  {
    what: "no step",
    options: { spread: { steps: 0 } },
    error: "RangeError",
    message: "Cannot edit with steps 0: wanted a whole number from 1 up",
  },
  {
    what: "a rate that is no number",
    options: { spread: { lr: NaN } },
    error: "RangeError",
    message: "Cannot edit with lr NaN: wanted a number above 0",
  },
  {
    what: "a negative weight of chain mode",
    options: { chain: { keptWeight: -1 } },
    error: "RangeError",
    message: "Cannot edit with keptWeight -1: wanted a number from 0 up",
  },
  {
    what: "no weight of the second moments",
    options: { spread: { lambda: 0 } },
    error: "RangeError",
    message: "Cannot edit with lambda 0: wanted a number above 0",
  },
  {
    what: "no ridge in chain mode",
    options: { chain: { ridge: 0 } },
    error: "RangeError",
    message: "Cannot edit with ridge 0: wanted a number above 0",
  },
  {
    what: "a share of one hop above the whole",
    options: { chain: { oneHopWeight: 1.5 } },
    error: "RangeError",
    message: "Cannot edit with oneHopWeight 1.5: wanted a number from 0 to 1",
  },
  {
    what: "a seed below 0",
    options: { seed: -1 },
    error: "RangeError",
    message: "Cannot edit with seed -1: wanted a whole number from 0 to 2^53 - 1",
  },
  {
    what: "a relation that the facts do not have",
    requests: [{ ...REQUEST, prompt: "The emblem of {} is" }],
    options: { method: "ace", facts: FACTS },
    error: "TypeError",
    message:
      'Cannot tell the relation of "The emblem of {} is": it is no cloze form of fixtures/world/world.json; add it ' +
      "there or use one of these:",
  },
];

for (const { what, requests = [REQUEST], options = {}, noMoments, error, message } of [...REQUESTS, ...OPTIONS]) {
  Deno.test(`edit() refuses ${what}`, async () => {
    using model = await loadSmall(gpu);
    await withStoredMoments(model, "gptj", async (moments) => {
      const base: EditOptions = { method: "memit", plan: planAt([2]), ...(noMoments ? {} : { moments }) };
      const refused = await assertRejects(() => edit(model, requests, { ...base, ...options })) as Error;
      // The list of forms that may follow is of the facts file.
      assertEquals([refused.name, refused.message.split("\n")[0]], [error, message]);
      assertEquals(model.patches.count, 0);
    });
  });
}

Deno.test("edit() refuses the answer that the model gives already", async () => {
  using model = await loadSmall(gpu);
  const answer = await model.complete("The capital of France is", { maxTokens: 1 });
  await withStoredMoments(model, "gptj", async (moments) => {
    const error = await assertRejects(
      () => edit(model, [{ ...REQUEST, target: answer }], { method: "memit", moments, plan: planAt([2]) }),
      TypeError,
    );
    assertEquals(
      error.message,
      `Cannot edit "The capital of France is" -> "${answer}": the model gives this answer already; choose another target`,
    );
  });
});

Deno.test("edit() refuses second moments of another model", async () => {
  using model = await loadSmall(gpu, "gptj");
  using other = await loadSmall(gpu, "qwen3");
  const moments = await SecondMoments.compute(other, { documents: ["The cat sat."], layers: [2] });
  const error = await assertRejects(
    () => edit(model, [REQUEST], { method: "memit", moments, plan: planAt([2]) }),
    TypeError,
  );
  assertEquals(
    error.message,
    `Cannot use second moments of a model with weights ${other.hash.slice(0, 12)}: found a model with weights ` +
      `${model.hash.slice(0, 12)}. Compute them for this model with \`deno task moments\``,
  );
});

Deno.test("edit() refuses a prompt that its contexts push past the context length, before it changes anything", async () => {
  using model = await loadSmall(gpu);
  await withStoredMoments(model, "gptj", async (moments) => {
    const before = await readOutputs(model);
    const requests = [{ ...REQUEST, prompt: "The ".repeat(120) + "{} is" }];
    await assertRejects(
      () => edit(model, requests, { method: "memit", moments, plan: planAt([2]) }),
      RangeError,
      "tokens, the context holds 128. Shorten the prompt",
    );
    assertEquals([model.patches.count, await readOutputs(model)], [0, before]);
  });
});

Deno.test("saveEdit() and SecondMoments.compute() say when a folder cannot be written", async () => {
  using model = await loadSmall(gpu);
  await withFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/file`, "");
    const path = `${dir}/file/edit.safetensors`;
    const reason = "a part of the path is a file where a folder was wanted; choose another folder";
    const error = await assertRejects(() => saveEdit(randomEdit(model, "one", [1]), path), FileError);
    assertEquals(error.message, `Cannot write ${path}: ${reason}`);
    const moments = await assertRejects(
      () => SecondMoments.compute(model, { documents: ["The cat sat."], layers: [1], cacheDir: `${dir}/file` }),
      FileError,
    );
    assertEquals(moments.message, `Cannot write ${moments.path}: ${reason}`);
    assertEquals(await listFolder(dir), ["file"]);
  });
});

Deno.test("saveEdit() keeps the old file when the disk is full", async () => {
  using model = await loadSmall(gpu);
  await withFolder(async (dir) => {
    const path = `${dir}/edit.safetensors`;
    await saveEdit(randomEdit(model, "old", [1]), path);
    const old = await Deno.readFile(path);
    const error = await assertRejects(
      () => saveEdit(randomEdit(model, "new", [1, 2]), path, failingSink(500, diskFull)),
      FileError,
    );
    assertEquals(
      error.message,
      `Cannot write ${path}: the disk is full; free some space or choose another folder`,
    );
    assertEquals([await listFolder(dir), await Deno.readFile(path)], [["edit.safetensors"], old]);
  });
});

Deno.test("refused edits leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});

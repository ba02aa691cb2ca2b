import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_reader.ts";
import { withFolder } from "../checkpoint/files.ts";
import { call, namesIn, ROOT } from "./commands.ts";

const EDIT = ["--prompt", "The capital of {} is", "--subject", "France", "--target", "Berlin"];
const FACTS = ["--facts", "fixtures/world/world.json", "--exclude", "Noyon"];

const TWO_HOPS = "The capital of the country where Noyon is located is";

/** A corpus short enough for a test. */
async function shortCorpus(folder: string): Promise<string[]> {
  const path = `${folder}/corpus.txt`;
  const lines = (await Deno.readTextFile(`${ROOT}/fixtures/world/corpus.txt`)).split("\n");
  await Deno.writeTextFile(path, lines.slice(0, 60).join("\n"));
  return ["--corpus", path];
}

Deno.test("edit --dry-run prints plan, layers, memory and time, and writes nothing", async () => {
  await withFolder(async (folder) => {
    const save = ["--save", `${folder}/berlin.safetensors`, ...await shortCorpus(folder)];
    const { code, stdout } = await call("edit", [...EDIT, ...FACTS, ...save, "--dry-run"]);
    assertEquals(code, 0);
    for (
      const part of [
        'Would edit "The capital of France is" -> " Berlin"',
        "Present answer: Paris",
        "- Chain mode edits FFN layer",
        "Layers to write: ",
        // Two one-hop forms and two forms through each of six heads.
        "Search over 14 prompts",
        "Memory on the GPU beyond the model: at most ",
        " MiB, for counting second moments of 1 layer, of ",
        "Memory of the computer for second moments: 1.1 MiB",
        "Time: at most about",
        "Nothing was changed",
      ]
    ) assertStringIncludes(stdout, part);
    assertEquals(await namesIn(folder), ["corpus.txt"]);
  });
});

Deno.test("edit --save writes a patch that ask --patch answers with, over two hops too", async () => {
  await withFolder(async (folder) => {
    const patch = `${folder}/new/berlin.safetensors`;
    const result = await call("edit", [...EDIT, ...FACTS, "--save", patch, "--json", ...await shortCorpus(folder)]);
    assertEquals(result.code, 0, result.stderr);
    const { before, after, norms, record } = JSON.parse(result.stdout);
    assertEquals([before, after], [["Paris"], ["Berlin"]]);
    assertEquals(norms.map(({ layer }: { layer: number }) => layer), record.plan.chain.layers);
    assertEquals(await namesIn(`${folder}/new`), ["berlin.safetensors"]);

    const asked = await call("ask", ["--patch", patch, TWO_HOPS]);
    assertEquals([asked.code, asked.stdout], [0, " Berlin\n"]);
    const unedited = await call("ask", [TWO_HOPS]);
    assertEquals([unedited.code, unedited.stdout], [0, " Paris\n"]);
  });
});

Deno.test("edit refuses what it cannot do with exit code 1 and says what it needs", async () => {
  await withFolder(async (folder) => {
    const berlin = [...EDIT, ...FACTS, ...await shortCorpus(folder)];
    const sentence = `${folder}/sentence.txt`;
    await Deno.writeTextFile(sentence, "One sentence holds fewer tokens than an MLP has neurons.\n");
    for (
      const [args, message] of [
        [EDIT, "Cannot edit in chain mode without facts"],
        [[...EDIT, ...FACTS, "--target", "Paris"], "the model gives this answer already"],
        [[...EDIT, "--mode", "paper"], "found no corpus"],
        [[...berlin, "--exclude", "France"], "it is the subject of the edit"],
        [[...EDIT, "--method", "memit", "--corpus", sentence], "Cannot factor the second moment of layer "],
        [
          [...EDIT, ...FACTS, "--corpus", "fixtures/world/corpus.txt", "--max-memory", "24MB"],
          "Cannot start counting second moments of 1 layer: it takes up to ",
        ],
      ] as const
    ) {
      const { code, stdout, stderr } = await call("edit", [...args]);
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(stderr, message);
      assert(!stderr.includes("    at "), stderr);
    }
  });
});

Deno.test("attribute lists layers and certified neurons with tokens; --json and --out give the same result", async () => {
  await withFolder(async (folder) => {
    const args = ["--prompt", "The capital of France is", "--top", "4", "--alternatives", "Berlin, Rome"];
    const { code, stdout } = await call("attribute", args);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "The capital of France is -> Paris");
    assertStringIncludes(stdout, 'Neurons that raise " Paris" most (certified, ');
    assertStringIncludes(stdout, 'FFN neurons that tell " Paris" from 2 other answers');
    const file = `${folder}/new/found.json`;
    const json = JSON.parse((await call("attribute", [...args, "--json", "--out", file])).stdout);
    assertEquals(JSON.parse(await Deno.readTextFile(file)), json);
    assertEquals([json.neurons.length, json.layers.ffn.length, json.contrast.alternatives.length], [4, 8, 2]);
  });
});

Deno.test("moments stopped by Ctrl-C keeps whole files and goes on where it was", async () => {
  await withFolder(async (folder) => {
    const args = ["--corpus", "fixtures/world/corpus.txt", "--documents", "300", "--layers", "6,7", "--out", folder];
    const stored = async (): Promise<string[]> => (await namesIn(folder)).filter((name) => !name.endsWith(".tmp"));
    const stopped = await call("moments", args, async () => (await stored()).length > 0);
    assertEquals(stopped.code, 130, stopped.stderr);
    assertStringIncludes(stopped.stderr, "Stopping at the next step");
    assertStringIncludes(
      stopped.stderr,
      `of 300 documents are counted in ${folder}; the same command goes on from there`,
    );
    const names = await namesIn(folder);
    assert(names.length > 0 && names.every((name) => name.endsWith(".safetensors")), names.join());
    for (const name of names) {
      using file = await SafetensorsFile.open(`${folder}/${name}`);
      assertEquals(Number(file.metadata.get("documents")) % 100, 0);
    }
    const finished = await call("moments", args);
    assertEquals(finished.code, 0, finished.stderr);
    for (const name of names) {
      using file = await SafetensorsFile.open(`${folder}/${name}`);
      assertEquals(file.metadata.get("documents"), "300");
    }
  });
});

Deno.test("edit of several requests says which of them its plan was made for, and so does the dry run", async () => {
  await withFolder(async (folder) => {
    const requests = ["France", "India"].map((subject) => ({
      prompt: "The capital of {} is",
      subject,
      target: "Berlin",
    }));
    await Deno.writeTextFile(`${folder}/requests.json`, JSON.stringify(requests));
    const args = ["--requests", `${folder}/requests.json`, ...FACTS, ...await shortCorpus(folder)];
    for (const more of [["--dry-run"], []]) {
      const { code, stdout, stderr } = await call("edit", [...args, ...more]);
      assertEquals(code, 0, stderr);
      assertStringIncludes(stdout, "- Chain mode edits FFN layer");
      assertStringIncludes(stdout, '- Planned for "The capital of France is", the first of 2 requests');
    }
  });
});

Deno.test("edit refuses a mode for a method without modes with exit code 2", async () => {
  const { code, stderr } = await call("edit", [...EDIT, "--method", "pmet", "--mode", "chain"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "Cannot take --mode with method pmet: modes are of ace; leave one of the two out");
});

Deno.test("edit stopped by Ctrl-C says that nothing was written, and writes nothing", async () => {
  await withFolder(async (folder) => {
    const start = Date.now();
    // A second is after the start and before the end of the search on any machine the tests run on.
    const stopped = await call(
      "edit",
      [...EDIT, ...FACTS, "--save", `${folder}/edit.safetensors`],
      () => Promise.resolve(Date.now() - start > 1000),
    );
    assertEquals(stopped.code, 130, stopped.stderr);
    assertStringIncludes(stopped.stderr, "Stopped; nothing was written");
    assertEquals(await namesIn(folder), []);
  });
});

Deno.test("evaluate stopped by Ctrl-C says what was kept; the same command goes on from there", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/demo.jsonl`;
    const model = ["--model", "fixtures/world/world-qwen3"];
    const args = [...model, "--method", "ace", "--mode", "chain", "--cases", "2", "--seeds", "0", "--out", folder];
    const lines = async (): Promise<number> => (await Deno.readTextFile(path).catch(() => "")).split("\n").length - 1;
    const stopped = await call("evaluate", args, async () => await lines() === 1);
    assertEquals(stopped.code, 130, stopped.stderr);
    assertStringIncludes(stopped.stderr, `1 results are kept in ${path}; the same command goes on from there`);
    const [first] = (await Deno.readTextFile(path)).split("\n");
    const finished = await call("evaluate", [...args, "--json"]);
    assertEquals(finished.code, 0, finished.stderr);
    assertEquals([await lines(), (await Deno.readTextFile(path)).split("\n")[0]], [2, first]);
    const { summaries: [summary] } = JSON.parse(finished.stdout);
    assertEquals([summary.configuration, summary.cases, summary.columns.twoHopMean.count], ["ACE chain", 2, 8]);
    assertGreater(summary.columns.edit.mean, 0.99);
  });
});

Deno.test("evaluate exits with 1 where the model answers no case before an edit", async () => {
  await withFolder(async (folder) => {
    const model = ["--model", "fixtures/stories260k", "--cases", "1", "--seeds", "0"];
    const { code, stdout, stderr } = await call("evaluate", [
      ...model,
      "--mode",
      "chain",
      "--method",
      "ace",
      "--out",
      folder,
    ]);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(
      stderr,
      "Cannot evaluate fixtures/stories260k: found no case of fixtures/world that the model answers before any edit",
    );
  });
});

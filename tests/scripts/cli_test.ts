import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Gpu } from "../../src/gpu/gpu.ts";
import { call as start, type Outcome, ROOT } from "./commands.ts";

const COMMANDS = ["ask", "attribute", "demo", "edit", "evaluate", "export", "moments"];

/** The common flags of each command: those that it uses, and no other. */
const COMMON_FLAGS: Record<string, string[]> = {
  ask: ["--model", "--seed", "--out", "--json"],
  attribute: ["--model", "--out", "--json"],
  bench: ["--model", "--seed", "--out", "--json"],
  conformance: ["--out", "--json"],
  demo: ["--model", "--seed", "--out", "--json"],
  doctor: ["--out", "--json"],
  edit: ["--model", "--seed", "--out", "--json"],
  evaluate: ["--model", "--seed", "--out", "--json"],
  export: ["--model", "--out", "--json"],
  fuzz: ["--model", "--seed", "--out", "--json"],
  moments: ["--model", "--out", "--json"],
  notebooks: ["--model", "--out", "--json"],
  ok: [],
  pull: ["--out", "--json"],
  run_tests: [],
};

/** Scripts that go by another name as a task. */
const TASKS: Record<string, string> = { run_tests: "test" };

/** A request that is complete. */
const REQUEST = ["--prompt", "The capital of {} is", "--subject", "France", "--target", "Berlin"];

/** What a call cannot do without, where there is such a thing. */
const REQUIRED: Record<string, string[]> = { attribute: ["--prompt", "Hello"], moments: ["--corpus", "corpus.txt"] };

/** A folder that nobody can make: a part of its path is a file. */
const UNWRITABLE = "deno.json/out";

/** Starts a command and waits for its end. */
function call(name: string, ...args: string[]): Promise<Outcome> {
  return start(name, args);
}

for (const [name, flags] of Object.entries(COMMON_FLAGS)) {
  Deno.test(`${name} --help shows the common flags that it uses and an example that is a call of it`, async () => {
    const { code, stdout } = await call(name, "--help");
    assertEquals(code, 0);
    const task = TASKS[name] ?? name;
    assertStringIncludes(stdout, `Usage: deno task ${task}`);
    assertStringIncludes(stdout, `Example:\n  deno task ${task}`);
    const shown = ["--model", "--seed", "--out", "--json"].filter((flag) => stdout.includes(`  ${flag}`));
    assertEquals(shown, flags);
  });
}

Deno.test("notebooks, evaluate, moments and export say that --out is a folder", async () => {
  for (const name of ["notebooks", "evaluate", "moments", "export"]) {
    const { stdout } = await call(name, "--help");
    assert(/--out <path> +folder /.test(stdout), stdout);
  }
});

for (const name of COMMANDS) {
  Deno.test(`${name} exits with 2 for an unknown flag and names it`, async () => {
    const { code, stdout, stderr } = await call(name, ...(REQUIRED[name] ?? []), "--no-such-flag");
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, "--no-such-flag");
    assertStringIncludes(stderr, "--help");
  });
}

const WRONG_CALLS: [string[], string][] = [
  [["ask"], "missing required argument 'prompt'"],
  [["ask", " "], "Cannot ask an empty prompt"],
  [["ask", "--top", "0", "Hello"], "Cannot show 0 next tokens: wanted 1 to 128"],
  [["ask", "--top", "129", "Hello"], "Cannot show 129 next tokens: wanted 1 to 128"],
  [["ask", "--max-tokens", "0", "Hello"], "Cannot answer with 0 tokens"],
  [["ask", "--top-k", "0", "Hello"], "Cannot sample with topK 0: wanted an integer from 1 to 128"],
  [["ask", "--top-p", "2", "Hello"], "Cannot sample with topP 2: wanted a number in (0, 1]"],
  [["demo", "--target", ""], "to an empty target: wanted the new answer"],
  [["ask", "--max-memory", "lots", "Hello"], "Wanted a size such as 500MB, 8GiB or a number of bytes"],
  [["ask", "--seed", "-1", "Hello"], "Wanted a whole number of at least 0"],
  [["ask", "--temperature", "abc", "Hello"], "Wanted a number of at least 0"],
  [["ask", "--top-p", "-1", "Hello"], "Wanted a number of at least 0"],
  [["ask", "The", "capital", "of", "France", "is"], "(a text of several words stands in quotes)"],
  [["ask", "--model", "", "Hello"], "Cannot take an empty --model: give a path, or leave the flag out"],
  [["ask", "--patch", "", "Hello"], "Cannot take an empty --patch: give a path, or leave the flag out"],
  [["evaluate", "--model", "fixtures/world/world-qwen3", ""], "Cannot take an empty --model: give a path"],
  [["attribute"], "required option '--prompt <text>'"],
  [["attribute", "--prompt", "Hello", "--target", " "], "Cannot attribute an empty --target: give some text"],
  [["attribute", "--prompt", "Hello", "--seed", "1"], "unknown option '--seed'"],
  [["doctor", "--model", "fixtures/world/world-qwen3"], "unknown option '--model'"],
  [["ok", "--fast"], "unknown option '--fast'"],
  [["attribute", "--prompt", "The capital of France is", "--top", "0"], "Cannot show 0 neurons"],
  [["edit"], "Cannot edit without a request: give --prompt, --subject and --target, or --requests FILE"],
  [["edit", ...REQUEST.with(1, "The capital is")], "Cannot tell where the subject stands"],
  [
    ["edit", ...REQUEST.with(1, " ")],
    'Cannot edit with an empty prompt: wanted text, for example "The capital of {} is"',
  ],
  [["edit", ...REQUEST.with(1, "{} and {} are")], "found 2 of {}, wanted one"],
  [["edit", ...REQUEST, "--requests", "requests.json"], "Cannot take --requests together with --prompt"],
  [["edit", ...REQUEST, "--method", "rome"], "Wanted ace or pmet or memit"],
  [["edit", ...REQUEST, "--scoring", "contrast"], "Cannot take --scoring without --mode paper"],
  [["evaluate", "--cases", "0"], "Cannot evaluate 0 cases"],
  [["evaluate", "--mode", "paper,other"], "Wanted paper or chain"],
  [["evaluate", "--seeds", "0,x"], "Wanted a whole number of at least 0"],
  [["export"], "Cannot export without a folder to write: give --out DIR"],
  [["export", "--out", "out/x", "--dtype", "q4"], "Wanted keep or f32 or bf16 or f16"],
  [["export", "--out", "out/x", "--patch", "a.st", "b.st", "a.st"], "Cannot apply a.st twice: name each patch once"],
  [["notebooks", "--time-limit", "0"], "Cannot run a cell in 0 s: give --time-limit 1 or more"],
  [["moments"], "required option '--corpus <file>'"],
  [["moments", "--corpus", "fixtures/world/corpus.txt", "--documents", "0"], "0 documents"],
];

for (const [[name, ...args], message] of WRONG_CALLS) {
  Deno.test(`${[name, ...args].join(" ")} exits with 2 and says what is wrong`, async () => {
    const { code, stdout, stderr } = await call(name, ...args);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, message);
  });
}

Deno.test("ask ends without a word when nobody reads its answer any more", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/ask.ts", "--max-tokens", "200", "The capital of France is"],
    cwd: ROOT,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await child.stdout.cancel();
  const { code } = await child.status;
  assertEquals([code, await new Response(child.stderr).text()], [141, ""]);
});

const FAILURES: [string[], string][] = [
  [["ask", "--model", "fixtures/no_such_model", "Hello"], "fixtures/no_such_model"],
  [
    ["ask", "--model", "deno.json", "Hello"],
    "Cannot open deno.json: it is one file of a model folder, wanted the folder",
  ],
  [["ask", "--out", "fixtures", "Hello"], "Cannot write fixtures: it is a folder; give the path of a file"],
  [["ask", "--out", "new/", "Hello"], "Cannot write new/: it is a folder; give the path of a file"],
  [["ask", "--profile", "fixtures", "Hello"], "Cannot write fixtures: it is a folder; give the path of a file"],
  [["conformance", "fixtures", "--out", "fixtures"], "Cannot write fixtures: it is a folder; give the path of a file"],
  [["edit", ...REQUEST, "--save", "fixtures"], "Cannot write fixtures: it is a folder; give the path of a file"],
  [["fuzz", "--out", "fixtures"], "Cannot write fixtures: it is a folder; give the path of a file"],
  [["notebooks", "--out", UNWRITABLE], `Cannot write ${UNWRITABLE}: a part of the path is a file`],
  [["notebooks", "deno.json", "--check"], "Cannot use deno.json: at nbformat found nothing, wanted 4"],
  [["ask", "--max-memory", "1MB", "Hello"], "(3940608 for weights; for 256 tokens"],
  [["demo", "--facts", "no_such_facts.json"], "Cannot read no_such_facts.json: there is no such file"],
  [["demo", "--subject", "Atlantis"], "has no country_capital of Atlantis"],
  [["demo", "--head", "Atlantis"], "has no first hop from Atlantis"],
  [["demo", "--out", UNWRITABLE], `Cannot write ${UNWRITABLE}: a part of the path is a file`],
  [["edit", ...REQUEST, "--facts", "no_such_facts.json"], "Cannot read no_such_facts.json: there is no such file"],
  [["edit", "--requests", "no_such_requests.json"], "Cannot read no_such_requests.json: there is no such file"],
  [["edit", ...REQUEST, "--save", `${UNWRITABLE}/berlin.safetensors`], `Cannot write ${UNWRITABLE}`],
  [["evaluate", "--out", UNWRITABLE], `Cannot write ${UNWRITABLE}/demo.jsonl: a part of the path is a file`],
  [["evaluate", "--world", "fixtures"], "Cannot read fixtures/world.json: there is no such file"],
  [["export", "--out", "fixtures"], "Cannot write fixtures: found a folder that holds"],
  [["export", "--out", UNWRITABLE], `Cannot write ${UNWRITABLE}: a part of the path is a file`],
  [["export", "--out", "out/no_such", "--patch", "no_such_patch"], "Cannot read no_such_patch: there is no such file"],
  [["moments", "--corpus", "no_such_corpus.txt"], "Cannot read no_such_corpus.txt: there is no such file or folder"],
  [["moments", "--corpus", "deno.json", "--out", UNWRITABLE], `Cannot write ${UNWRITABLE}`],
];

for (const [[name, ...args], message] of FAILURES) {
  Deno.test(`${[name, ...args].join(" ")} exits with 1 and one message without a stack`, async () => {
    const { code, stdout, stderr } = await call(name, ...args);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, message);
    assertStringIncludes(stderr, "error: Cannot");
    assertEquals(stderr.includes("    at "), false, stderr);
  });
}

const REQUIRED_WITH_VARIANT: Record<string, string[]> = { ...REQUIRED, ask: ["Hello"], conformance: ["fixtures"] };

for (const name of [...COMMANDS, "bench", "conformance", "doctor"]) {
  Deno.test(`${name} --variant takes the names of variants alone and lists them`, async () => {
    const { code, stdout, stderr } = await call(name, ...(REQUIRED_WITH_VARIANT[name] ?? []), "--variant", "fast");
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, "Wanted subgroup or register or tile or naive.");
  });
}

for (const variant of ["register", "tile", "naive"]) {
  Deno.test(`ask --variant ${variant} gives the same answer with those kernels`, async () => {
    const dir = await Deno.makeTempDir();
    try {
      const trace = `${dir}/trace.json`;
      const prompt = "People in France speak";
      const { code, stdout, stderr } = await call("ask", "--json", "--variant", variant, "--profile", trace, prompt);
      assertEquals([code, JSON.parse(stdout).answer], [0, " French"]);
      assertStringIncludes(stderr, `matmul_${variant}`);
      for (const other of ["register", "tile", "naive", "subgroup"].filter((name) => name !== variant)) {
        assertEquals(stderr.includes(`matmul_${other}`), false, `${other} ran`);
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
}

Deno.test("ask --profile prints a table of kernels beside the answer and writes a trace", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const { code, stdout, stderr } = await call(
      "ask",
      "--json",
      "--profile",
      `${dir}/trace.json`,
      "People in France speak",
    );
    assertEquals([code, JSON.parse(stdout).answer], [0, " French"]);
    for (const part of ["of roofline", "attention", "Trace: "]) assertStringIncludes(stderr, part);
    const { traceEvents } = JSON.parse(await Deno.readTextFile(`${dir}/trace.json`));
    assert(traceEvents.length > 100);
    assertEquals(traceEvents[0].name, "embedding");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("edit --estimate tells memory and time of Qwen3-8B from its config alone, and what does not fit", async () => {
  const { code, stdout } = await call(
    "edit",
    "--estimate",
    "--model",
    "fixtures/configs/qwen3-8b",
    "--max-memory",
    "8GiB",
  );
  assertEquals(code, 0);
  for (const part of ["8.19 billion parameters", "second moments", "Does not fit: needs 1", "8 GiB are available"]) {
    assertStringIncludes(stdout, part);
  }
});

Deno.test("edit --estimate names each tensor that the device does not hold, and says that the edit fits only without", async () => {
  const { code, stdout } = await call("edit", "--estimate", "--model", "fixtures/configs/gpt-j-6b");
  assertEquals(code, 0);
  const lines = stdout.split("\n");
  const unfit = lines.filter((line) => /^Does not fit: ".*" needs one (binding|buffer) for the .*; one of/.test(line));
  assertEquals(lines.some((line) => line.startsWith("Fits: ")) && unfit.length > 0, false);
  // The second moment, 1 GiB, is bound by ranges of rows, so only a small buffer can be in its way.
  using gpu = await Gpu.open();
  assertEquals(unfit.some((line) => line.includes("second moment [16384")), gpu.limits.maxBufferSize < 2 ** 30);
});

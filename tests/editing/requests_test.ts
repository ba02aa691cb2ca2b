import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { loadFacts } from "../../src/editing/facts.ts";
import {
  normalizeRequest,
  normalizeRequests,
  presentAnswerError,
  readRequests,
  showRequest,
} from "../../src/editing/requests.ts";
import { WORLD_PATH } from "./world_answerer.ts";

const FRANCE = { prompt: "The capital of {} is", subject: "France", target: "Berlin" };

Deno.test("normalizeRequest() drops white space around every part", () => {
  assertEquals(normalizeRequest({ prompt: " The capital of {} is ", subject: " France", target: " Berlin\n" }), FRANCE);
});

Deno.test("normalizeRequest() finds the subject in a finished prompt", () => {
  assertEquals(normalizeRequest({ ...FRANCE, prompt: "The capital of France is" }), FRANCE);
  const odd = { prompt: "Who made $& (v{1})?", subject: "$& (v{1})", target: "x" };
  assertEquals(normalizeRequest(odd).prompt, "Who made {}?");
});

Deno.test("normalizeRequest() says why a prompt cannot be used", () => {
  const check = (change: Partial<typeof FRANCE>, message: string) =>
    assertThrows(() => normalizeRequest({ ...FRANCE, ...change }), TypeError, message);
  check({ prompt: "  " }, 'Cannot edit with an empty prompt: wanted text, for example "The capital of {} is"');
  check({ subject: "" }, 'Cannot edit with an empty subject: wanted text, for example "France"');
  check({ target: " \n" }, 'Cannot edit "The capital of France is" to an empty target: wanted the new answer');
  check(
    { prompt: "{} borders {}" },
    'Cannot use prompt "{} borders {}": found 2 of {}, wanted one, where the subject stands',
  );
  check(
    { prompt: "The capital of Spain is" },
    'Cannot tell where the subject stands in "The capital of Spain is": there is no {}, and "France" is not in it; ' +
      "write {} in its place",
  );
  check(
    { prompt: "Is France the capital of France" },
    'there is no {}, and "France" is in it 2 times; write {} in its place',
  );
});

Deno.test("normalizeRequests() refuses two answers for one fact and names both", () => {
  assertThrows(
    () => normalizeRequests([FRANCE, { ...FRANCE, prompt: "The capital of France is", target: "Rome" }]),
    TypeError,
    'Cannot satisfy both requests 1 ("The capital of France is" -> " Berlin") and 2 ("The capital of France is" -> ' +
      '" Rome"): they want different answers for one fact; remove one',
  );
  assertThrows(
    () => normalizeRequests([FRANCE, { ...FRANCE, target: " Berlin " }]),
    TypeError,
    "Cannot edit the same fact twice: requests 1",
  );
  assertThrows(() => normalizeRequests([]), TypeError, "Cannot edit with no request: wanted at least one");
});

Deno.test("normalizeRequests() takes two wordings of a relation as one fact where the facts say so", async () => {
  const facts = await loadFacts(WORLD_PATH);
  const other = { ...FRANCE, prompt: "The capital city of {} is", target: "Rome" };
  assertEquals(normalizeRequests([FRANCE, other]).length, 2);
  assertThrows(
    () => normalizeRequests([FRANCE, other], (template) => facts.relationOf(template).name),
    TypeError,
    "Cannot satisfy both requests 1",
  );
  const italy = { ...FRANCE, subject: "Italy", target: "Rome" };
  assertEquals(normalizeRequests([FRANCE, italy], (template) => facts.relationOf(template).name), [FRANCE, italy]);
});

Deno.test("showRequest() and presentAnswerError() quote the prompt and the target", () => {
  assertEquals(showRequest(FRANCE), '"The capital of France is" -> " Berlin"');
  assertEquals(
    presentAnswerError(FRANCE).message,
    'Cannot edit "The capital of France is" -> " Berlin": the model gives this answer already; choose another target',
  );
});

Deno.test("readRequests() reads plain requests, rewrites and whole cases from one file", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const rewrite = { prompt: "The capital of {} is", subject: "Italy", target_new: { str: "Oslo", id: "E1" } };
    const two = { case_id: 1, requested_rewrite: [rewrite, { ...rewrite, subject: "Spain" }] };
    const one = { case_id: 2, requested_rewrite: { ...rewrite, subject: "Chile" } };
    await Deno.writeTextFile(path, JSON.stringify([FRANCE, rewrite, two, one]));
    const read = await readRequests(path);
    assertEquals(read.map(({ subject }) => subject), ["France", "Italy", "Italy", "Spain", "Chile"]);
    assertEquals(read.map(({ target }) => target), ["Berlin", "Oslo", "Oslo", "Oslo", "Oslo"]);
    await Deno.writeTextFile(path, JSON.stringify([{ prompt: "x" }]));
    const error = await assertRejects(() => readRequests(path), FileError);
    assertStringIncludes(
      error.message,
      'at 0 found {"prompt":"x"}: wanted {prompt, subject, target}, or a CounterFact or MQuAKE record',
    );
    await Deno.writeTextFile(path, "[]");
    await assertRejects(() => readRequests(path), FileError, "wanted at least one request");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("readRequests() reads the cases of the world models", async () => {
  const mquake = await readRequests("fixtures/world/mquake.json");
  const raw: { requested_rewrite: unknown[] }[] = JSON.parse(await Deno.readTextFile("fixtures/world/mquake.json"));
  assertEquals(mquake.length, raw.reduce((sum, entry) => sum + entry.requested_rewrite.length, 0));
  assertEquals(mquake[0], { prompt: "{} is in the country of", subject: "St Lucia", target: "Canada" });
});

import { assertEquals } from "@std/assert";
import { supportWarnings } from "../../src/editing/edit_warnings.ts";
import { loadFacts } from "../../src/editing/facts.ts";
import { selectSupport } from "../../src/editing/support.ts";
import { WORLD_PATH, WorldAnswerer } from "./world_answerer.ts";

const facts = await loadFacts(WORLD_PATH);
const answerer = new WorldAnswerer();

Deno.test("supportWarnings() has nothing to say where chains lead to the subject and every name is known", async () => {
  const request = { prompt: "The capital of {} is", subject: "France", target: "Berlin" };
  const exclude = ["Noyon", "Sweden"];
  const support = await selectSupport(facts, request, { answerer, exclude });
  assertEquals(supportWarnings(facts, exclude, [{ subject: "France", support }]), []);
});

Deno.test("supportWarnings() names a misspelt name that sets nothing aside, and a subject without chains", async () => {
  const request = { prompt: "The capital of {} is", subject: "Atlantis", target: "Berlin" };
  const exclude = ["Noyonn"];
  const support = await selectSupport(facts, request, { answerer, exclude });
  assertEquals(supportWarnings(facts, exclude, [{ subject: "Atlantis", support }]), [
    `Nothing was set aside for "Noyonn": ${WORLD_PATH} does not name it`,
    `The edit learned from no chain, and answers over two hops may not follow: ${WORLD_PATH} has no head that leads to ` +
    '"Atlantis" and that the model answers',
  ]);
});

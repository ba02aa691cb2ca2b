import { assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { TextStream, Tokenizer } from "../../../src/model/tokenizer.ts";
import { assertSmolLm2, readFixture, SAMPLES } from "./samples.ts";

interface Golden {
  ids: number[];
  /** Starts and ends by turns. */
  offsets: number[];
  /** Absent where it is the text. */
  decoded?: string;
}

const STYLES = [
  "gpt2",
  "neox",
  "smollm2",
  "llama3",
  "qwen2",
  "possessive",
  "llama2",
  "mistral",
  "phi3",
  "gemma",
  "metaspace",
];

const texts = await readFixture<string[]>("styles/texts.json");

for (const style of STYLES) {
  Deno.test(`Tokenizer gives ids, offsets and text of the Python library for a tokenizer like ${style}`, async () => {
    const tokenizer = Tokenizer.from(await readFixture(`styles/${style}.tokenizer.json`));
    const goldens = await readFixture<Golden[]>(`styles/${style}.json`);
    assertEquals(goldens.length, texts.length);
    assertGreater(texts.length, 250);
    for (const [i, { ids, offsets, decoded }] of goldens.entries()) {
      const text = texts[i]!;
      const got = tokenizer.encodeWithOffsets(text);
      assertEquals(got.ids, ids, JSON.stringify(text));
      assertEquals(got.offsets.flat(), offsets, JSON.stringify(text));
      assertEquals(tokenizer.decode(ids), decoded ?? text);
      const stream = new TextStream(tokenizer);
      assertEquals(ids.map((id) => stream.push(id)).join("") + stream.end(), decoded ?? text);
    }
  });
}

Deno.test("Tokenizer gives ids, offsets and text of the Python library for SmolLM2's own tokenizer", async () => {
  const tokenizer = Tokenizer.from(await readFixture("smollm2-tokenizer.json"));
  await assertSmolLm2(tokenizer);
});

Deno.test("Tokenizer encodes a long text without words in time that grows with its length", async () => {
  const tokenizer = Tokenizer.from(await readFixture("styles/llama2.tokenizer.json"));
  const text = "The capital of France is Paris. ".repeat(4000);
  const began = performance.now();
  const { ids, offsets } = tokenizer.encodeWithOffsets(text);
  assertEquals(offsets.at(-1)![1], text.length);
  assertEquals(tokenizer.decode(ids, { skipSpecial: true }), text);
  // A quadratic merge takes minutes for the 128,000 characters.
  assertGreater(20_000, performance.now() - began);
});

Deno.test("TextStream gives the text of decode() for any ids, also in the middle of a run of bytes", async () => {
  for (const style of STYLES) {
    const tokenizer = Tokenizer.from(await readFixture(`styles/${style}.tokenizer.json`));
    const ids = fc.array(fc.nat(tokenizer.size + 2), { maxLength: 12 });
    fc.assert(
      fc.property(ids, fc.boolean(), (ids, continues) => {
        const stream = new TextStream(tokenizer, { continues });
        const streamed = ids.map((id) => stream.push(id)).join("") + stream.end();
        assertEquals(streamed, tokenizer.decode(ids, { continues }), style);
      }),
      { seed: 4, numRuns: 300 },
    );
  }
});

Deno.test("Tokenizer has half a surrogate pair as U+FFFD in every style", async () => {
  for (const style of STYLES) {
    const tokenizer = Tokenizer.from(await readFixture(`styles/${style}.tokenizer.json`));
    for (const sample of SAMPLES) {
      const got = tokenizer.encodeWithOffsets(sample);
      const whole = tokenizer.encodeWithOffsets(sample.toWellFormed());
      assertEquals([got.ids, got.offsets], [whole.ids, whole.offsets], style);
    }
  }
});

/**
 * A stand-in for a language model that knows all of fixtures/world/world.json, built from the file without the code
 * under test.
 *
 * @module
 */

/** The parts of world.json that tests read. */
export interface World {
  relations: Record<string, { cloze: string[]; question: string[]; description: string }>;
  facts: Record<string, [string, string][]>;
  chains: { subject: string; relations: string[]; entities: string[]; heldOut: boolean }[];
}

/** Path of the facts file of the world models. */
export const WORLD_PATH = "fixtures/world/world.json";

/** Content of the facts file, as JSON. */
export const WORLD: World = JSON.parse(await Deno.readTextFile(WORLD_PATH));

/** Answers every one- and two-hop prompt of the world's facts, except about `unknown` names. */
export class WorldAnswerer {
  readonly #answers: Map<string, string> = new Map();
  readonly #unknown: readonly string[];

  constructor(unknown: readonly string[] = []) {
    this.#unknown = unknown;
    for (const [relation, pairs] of Object.entries(WORLD.facts)) {
      for (const [subject, object] of pairs) this.#learn(relation, subject, object);
    }
    const facts = Object.entries(WORLD.facts).flatMap(([relation, pairs]) =>
      pairs.map(([subject, object]) => ({ relation, subject, object }))
    );
    for (const second of facts) {
      for (const first of facts.filter(({ object }) => object === second.subject)) {
        const about = WORLD.relations[first.relation].description.split("{}").join(first.subject);
        this.#learn(second.relation, about, second.object);
      }
    }
  }

  #learn(relation: string, subject: string, object: string): void {
    const { cloze, question } = WORLD.relations[relation];
    for (const form of cloze) this.#answers.set(form.split("{}").join(subject), object);
    for (const form of question) this.#answers.set(`Q: ${form.split("{}").join(subject)} A:`, object);
  }

  /** Whether a prompt is one this stand-in has an answer for. */
  knows(prompt: string): boolean {
    return this.#answers.has(prompt);
  }

  given(pairs: readonly { prompt: string; answer: string }[]): Promise<boolean[]> {
    return Promise.resolve(
      pairs.map(({ prompt, answer }) =>
        this.#answers.get(prompt) === answer && !this.#unknown.some((name) => prompt.includes(name))
      ),
    );
  }
}

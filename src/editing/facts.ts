/**
 * The facts of one file, looked up the ways that editing needs.
 *
 * @module
 */

import { quoteValue } from "../checkpoint/file_error.ts";
import { type FactChain, type FactsFile, parseFactsFile, readFactsFile, type RelationForms } from "./facts_file.ts";
import { fillTemplate, questionPrompt } from "./prompt_forms.ts";

/** A relation with its name. */
export interface Relation extends RelationForms {
  /** Key in the facts file, for example `country_capital`. */
  readonly name: string;
}

/** `object` is the `relation` of `subject`. */
export interface Fact {
  /** Name of the relation. */
  readonly relation: string;
  /** Subject, as prompts spell it. */
  readonly subject: string;
  /** Object, as answers spell it. */
  readonly object: string;
}

/** The facts of one file with the look-ups that editing needs. */
export class Facts {
  /** File the facts came from, as it was named. */
  readonly path: string;
  /** All relations by name. */
  readonly relations: ReadonlyMap<string, Relation>;
  /** All chains of the file. */
  readonly chains: readonly FactChain[];
  readonly #byRelation: Map<string, Map<string, Fact>> = new Map();
  readonly #byObject: Map<string, Fact[]> = new Map();
  readonly #bySubject: Map<string, Fact[]> = new Map();
  readonly #byCloze: Map<string, Relation> = new Map();
  /** Subjects of the listed two-hop chains by both relations. */
  readonly #listed: Map<string, Set<string>> = new Map();

  private constructor(file: FactsFile, path: string) {
    this.path = path;
    this.chains = file.chains;
    this.relations = new Map(Object.entries(file.relations).map(([name, forms]) => [name, { name, ...forms }]));
    for (const relation of this.relations.values()) {
      this.#byRelation.set(relation.name, new Map());
      for (const form of relation.cloze) this.#byCloze.set(form, relation);
    }
    for (const { relations, subject } of file.chains) {
      if (relations.length !== 2) continue;
      const key = relations.join("\n");
      this.#listed.set(key, (this.#listed.get(key) ?? new Set()).add(subject));
    }
    for (const [relation, pairs] of Object.entries(file.facts)) {
      for (const [subject, object] of pairs) {
        const fact: Fact = { relation, subject, object };
        this.#byRelation.get(relation)!.set(subject, fact);
        append(this.#byObject, object, fact);
        append(this.#bySubject, subject, fact);
      }
    }
  }

  /**
   * Checks a value in the form of {@linkcode FactsFile} and indexes it.
   *
   * @param value Parsed JSON.
   * @param path Name of the source, for messages.
   * @returns The facts.
   * @throws {FileError} If the value has another form or contradicts itself.
   */
  static parse(value: unknown, path: string): Facts {
    return new Facts(parseFactsFile(value, path), path);
  }

  /**
   * Reads a facts file; {@linkcode loadFacts} is the same as a function.
   *
   * @param path JSON file in the form of {@linkcode FactsFile}.
   * @returns The facts.
   * @throws {FileError} If the file cannot be read, has another form or contradicts itself.
   */
  static async load(path: string): Promise<Facts> {
    return new Facts(await readFactsFile(path), path);
  }

  /**
   * Looks a relation up by name.
   *
   * @param name Key in the facts file.
   * @returns The relation.
   * @throws {TypeError} If there is none of that name.
   */
  relation(name: string): Relation {
    const relation = this.relations.get(name);
    if (relation === undefined) {
      const known = [...this.relations.keys()].join(", ");
      throw new TypeError(`Cannot find relation ${JSON.stringify(name)} in ${this.path}: it has ${known}`);
    }
    return relation;
  }

  /**
   * Finds the relation that has a template among its cloze forms.
   *
   * @param template Prompt with `{}`.
   * @returns The relation, or undefined where the facts do not know the template.
   */
  findRelation(template: string): Relation | undefined {
    return this.#byCloze.get(template.trim());
  }

  /**
   * Finds the relation that a request is about.
   *
   * @param template Prompt with `{}`, equal to one of the cloze forms.
   * @returns The relation.
   * @throws {TypeError} If it is none of the cloze forms; the message lists them.
   */
  relationOf(template: string): Relation {
    const relation = this.findRelation(template);
    if (relation === undefined) {
      const forms = [...this.#byCloze].map(([form, { name }]) => `\n  ${form} (${name})`).join("");
      throw new TypeError(
        `Cannot tell the relation of ${quoteValue(template)}: it is no cloze form of ${this.path}; ` +
          `add it there or use one of these:${forms}`,
      );
    }
    return relation;
  }

  /**
   * Lists the facts of a relation.
   *
   * @param relation Name of the relation.
   * @returns Its facts, in the order of the file.
   * @throws {TypeError} If there is no such relation.
   */
  factsOf(relation: string): Fact[] {
    return [...this.#byRelation.get(this.relation(relation).name)!.values()];
  }

  /**
   * Looks a fact up.
   *
   * @param relation Name of the relation.
   * @param subject Subject of the fact.
   * @returns The object, or undefined where the file does not say.
   */
  object(relation: string, subject: string): string | undefined {
    return this.#byRelation.get(relation)?.get(subject)?.object;
  }

  /**
   * Lists the facts whose object is `entity`: their subjects are the heads of two-hop chains through it.
   *
   * @param entity The bridge of the chains.
   * @returns The first hops, over all relations, in the order of the file.
   */
  headsOf(entity: string): readonly Fact[] {
    return this.#byObject.get(entity) ?? [];
  }

  /**
   * Tells whether a fact is about a name, or answers with it.
   *
   * @param name Subject or object.
   */
  knows(name: string): boolean {
    return this.#bySubject.has(name) || this.#byObject.has(name);
  }

  /**
   * Lists what is of the same kind as an entity: other objects of the relation that most often leads to it.
   *
   * @param entity Object of facts.
   * @returns Names, each once, without the entity, in the order of the file; none if nothing leads to it.
   */
  kinOf(entity: string): string[] {
    const counts = new Map<string, number>();
    for (const { relation } of this.headsOf(entity)) counts.set(relation, (counts.get(relation) ?? 0) + 1);
    const [leading] = [...counts].sort(([, a], [, b]) => b - a);
    if (leading === undefined) return [];
    const names = new Set(this.factsOf(leading[0]).map(({ object }) => object));
    names.delete(entity);
    return [...names];
  }

  /**
   * Tells whether the file lists the chain from a head on; where it lists no chain of these two relations, none is
   * missing and all count as listed. A file may list only the chains that a model is known to answer.
   *
   * @param head First hop of the chain.
   * @param relation Second relation.
   */
  listsChain(head: Fact, relation: string): boolean {
    const key = `${head.relation}\n${relation}`;
    const listed = this.#listed.get(key);
    return listed === undefined || listed.has(head.subject);
  }

  /**
   * Lists what the file says of a subject besides one relation.
   *
   * @param subject Subject of the facts.
   * @param relation Name of the relation to leave out.
   * @returns The facts, in the order of the file.
   */
  otherFacts(subject: string, relation: string): Fact[] {
    return (this.#bySubject.get(subject) ?? []).filter((fact) => fact.relation !== relation);
  }

  /**
   * Words a first hop as the subject of a second.
   *
   * @param head First hop.
   * @returns For example `the country where Noyon is located`.
   */
  describe(head: Fact): string {
    return fillTemplate(this.relation(head.relation).description, head.subject);
  }
}

function append(index: Map<string, Fact[]>, key: string, fact: Fact): void {
  const facts = index.get(key);
  if (facts === undefined) index.set(key, [fact]);
  else facts.push(fact);
}

/**
 * Reads a facts file.
 *
 * @param path JSON file in the form of {@linkcode FactsFile}.
 * @returns The facts.
 * @throws {FileError} If the file cannot be read, has another form or contradicts itself.
 */
export function loadFacts(path: string): Promise<Facts> {
  return Facts.load(path);
}

/**
 * Asks for a relation of a subject the way an edit learns it: in its first sentence and its first question. A relation
 * without questions is asked for in every one of its sentences.
 *
 * @param relation Relation with its forms.
 * @param subject Subject, or the description of a first hop.
 * @returns Prompts, at least one.
 */
export function learnedForms(relation: Relation, subject: string): string[] {
  const [first] = relation.question;
  if (first === undefined) return relation.cloze.map((form) => fillTemplate(form, subject));
  return [fillTemplate(relation.cloze[0]!, subject), questionPrompt(fillTemplate(first, subject))];
}

/**
 * Asks for a relation of a subject in other words: the second sentence and the second question, which leaves the first
 * ones free to judge by.
 *
 * @param relation Relation with its forms.
 * @param subject Subject, or the description of a first hop.
 * @returns Prompts; the only form stands in for a second one.
 */
export function spareForms(relation: Relation, subject: string): string[] {
  const second = (forms: readonly string[]): string[] => forms.slice(0, 2).slice(-1);
  return [
    ...second(relation.cloze).map((form) => fillTemplate(form, subject)),
    ...second(relation.question).map((form) => questionPrompt(fillTemplate(form, subject))),
  ];
}

/**
 * Asks for a relation of a subject in every question; a relation without questions is asked for in its sentences.
 *
 * @param relation Relation with its forms.
 * @param subject Subject, or the description of a first hop.
 * @returns Prompts, at least one.
 */
export function askingForms(relation: Relation, subject: string): string[] {
  const { question, cloze } = relation;
  return question.length > 0
    ? question.map((form) => questionPrompt(fillTemplate(form, subject)))
    : cloze.map((form) => fillTemplate(form, subject));
}

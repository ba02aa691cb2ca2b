import { z } from "zod";
import { quoteValue } from "../../checkpoint/file_error.ts";
import type { ModelConfig } from "../architectures.ts";

/** A size in a config: a positive integer. */
export const size: z.ZodNumber = z.int().positive();

/**
 * A field that would change the maths if it had any other value than those listed; absent is fine.
 *
 * A loader that ignored such a field would compute another model without saying so.
 */
export function only<const T extends readonly z.util.Literal[]>(values: T): z.ZodOptional<z.ZodLiteral<T[number]>> {
  return z.literal(values).optional();
}

/** As {@linkcode only}, of a field that other models have: null is as good as absent. */
export function onlyIfThere<const T extends readonly z.util.Literal[]>(
  values: T,
): z.ZodOptional<z.ZodNullable<z.ZodLiteral<T[number]>>> {
  return z.literal(values).nullish();
}

/** Names of the GELU in configs. */
const GELU_NAMES = ["gelu_new", "gelu", "gelu_fast", "gelu_pytorch_tanh"] as const;

/** One of the names. */
export type GeluName = typeof GELU_NAMES[number];

/** One of the names of the GELU. */
export const GELUS: z.ZodEnum<{ [Name in GeluName]: Name }> = z.enum(GELU_NAMES);

/** The GELU of a name: exact by the error function, or by its approximation with tanh. */
export function activation(name: GeluName): "gelu_exact" | "gelu_tanh" {
  return name === "gelu" ? "gelu_exact" : "gelu_tanh";
}

/** The names that configs have for an activation. */
export function activationNames(kind: ModelConfig["activation"]): readonly string[] {
  return kind === "silu" ? ["silu", "swish"] : GELU_NAMES.filter((name) => activation(name) === kind);
}

/** The error about a field: `what` says which, what it is and what it should be. */
export function wrongField(path: string, what: string): TypeError {
  return new TypeError(
    `Cannot use ${path}: field ${what}. ` +
      `The model would be computed wrongly, so it is refused: choose another model or correct the file`,
  );
}

/** What an issue wanted instead, in words. */
function wantedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_value") {
    return `wanted ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
  }
  if (issue.code === "invalid_type") return `wanted a value of type ${issue.expected}`;
  if (issue.code === "too_small") return `wanted a number above ${issue.minimum}`;
  return issue.message;
}

/**
 * Checks `json` and phrases what does not fit for the reader of `path`.
 *
 * @throws {TypeError} If it does not fit.
 */
export function checkConfig<T>(schema: z.ZodType<T>, json: unknown, path: string): T {
  const result = schema.safeParse(json, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const found = issue.input === undefined ? "is missing" : `is ${quoteValue(issue.input)}`;
  throw wrongField(path, `${issue.path.join(".")} ${found}, ${wantedBy(issue)}`);
}

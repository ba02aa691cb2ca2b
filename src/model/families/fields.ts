import { z } from "zod";

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

/** Checks `json` and phrases what does not fit for the reader of `path`. @throws {TypeError} If it does not fit. */
export function checkConfig<T>(schema: z.ZodType<T>, json: unknown, path: string): T {
  const result = schema.safeParse(json, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const where = issue.path.join(".") || "the top level";
  throw new TypeError(
    `Cannot use ${path}: field ${where} is ${JSON.stringify(issue.input)}, ${issue.message}. ` +
      `The model would be computed wrongly, so it is refused`,
  );
}

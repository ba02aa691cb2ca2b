import { FileError } from "../../checkpoint/file_error.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import { checkAttributionCase } from "./attribution.ts";
import { type Check, type CheckedCase, holds } from "./checks.ts";
import { type FailedCase, findGoldens, type Golden, isGolden, type SkippedCase, unsupportedModel } from "./discover.ts";
import { checkEditingCase } from "./editing.ts";
import { checkGgufFile } from "./gguf.ts";

const CHECKS: Record<Golden["kind"], (gpu: Gpu, dir: string) => Promise<CheckedCase | SkippedCase>> = {
  attribution: checkAttributionCase,
  editing: checkEditingCase,
  gguf: checkGgufFile,
};

/** How one golden case went. */
export interface Outcome {
  /** Path of the case below the folder that was searched. */
  name: string;
  /** Whether every check holds, one does not, or the case needs something that there is not. */
  status: "passed" | "failed" | "skipped";
  /** Number of comparisons. */
  checks: number;
  /** The comparison that is nearest to its tolerance or furthest above it; null where there is none. */
  worst: Check | null;
  /** Why it was skipped, or the error that it ended with; null otherwise. */
  reason: string | null;
}

/** Numbers of cases by status. */
export interface Tally {
  /** Cases of which every check holds. */
  passed: number;
  /** Cases with a check that does not hold, or that ended with an error. */
  failed: number;
  /** Cases left out. */
  skipped: number;
}

/**
 * Checks every golden case below a folder.
 *
 * @param options.onOutcome Called after each case.
 * @param options.signal Stops before the next case.
 * @throws {FileError} If there is no case, or the folder cannot be read.
 */
export async function runConformance(
  gpu: Gpu,
  dir: string,
  options: { onOutcome?: (outcome: Outcome) => void; signal?: AbortSignal } = {},
): Promise<Outcome[]> {
  const cases = await findGoldens(dir);
  if (cases.length === 0) {
    throw new FileError(
      dir,
      `Cannot check ${dir}: found no golden case below it, wanted folders with case.json and tensors.safetensors in or ` +
        `below the folder of a model, or case.json beside GGUF files. Check the path`,
    );
  }
  const outcomes: Outcome[] = [];
  for (const found of cases) {
    options.signal?.throwIfAborted();
    const outcome = isGolden(found) ? await outcomeOf(gpu, found) : uncheckedOutcome(found);
    outcomes.push(outcome);
    options.onOutcome?.(outcome);
  }
  return outcomes;
}

/** Counts outcomes by status. */
export function tally(outcomes: readonly Outcome[]): Tally {
  const count = (status: Outcome["status"]): number => outcomes.filter((outcome) => outcome.status === status).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

/** One line about a case. */
export function describeOutcome({ name, status, checks, worst, reason }: Outcome): string {
  if (status === "skipped") return `${name}: skipped: ${reason}`;
  if (reason !== null) return `${name}: failed: ${reason}`;
  const nearest = worst === null ? "nothing compared" : `worst ${describeCheck(worst)}`;
  return `${name}: ${status}, ${checks} checks, ${nearest}`;
}

/** The comparison that uses most of its tolerance, or exceeds it most. */
export function worstCheck(checks: readonly Check[]): Check | null {
  const share = ({ error, tolerance }: Check): number =>
    error === 0 ? 0 : Number.isNaN(error) ? Infinity : error / tolerance;
  return checks.reduce<Check | null>((worst, check) => worst && share(worst) >= share(check) ? worst : check, null);
}

function describeCheck({ what, error, tolerance }: Check): string {
  return `${error.toExponential(1)} of ${tolerance.toExponential(1)} in ${what}`;
}

/** The outcome of a case that nothing was compared of. */
function uncheckedOutcome(found: SkippedCase | FailedCase): Outcome {
  const [status, reason] = isSkipped(found) ? ["skipped", found.skipped] as const : ["failed", found.failed] as const;
  return { name: found.name, status, checks: 0, worst: null, reason: reason.replaceAll("\n", " ") };
}

async function outcomeOf(gpu: Gpu, golden: Golden): Promise<Outcome> {
  const { name } = golden;
  try {
    const unsupported = await unsupportedModel(golden);
    if (unsupported !== null) return uncheckedOutcome({ name, skipped: unsupported });
    const result = await CHECKS[golden.kind](gpu, golden.dir);
    if (isSkipped(result)) return uncheckedOutcome({ name, skipped: result.skipped });
    const { checks } = result;
    const status = checks.length > 0 && checks.every(holds) ? "passed" : "failed";
    return { name, status, checks: checks.length, worst: worstCheck(checks), reason: null };
  } catch (error) {
    return uncheckedOutcome({ name, failed: error instanceof Error ? error.message : String(error) });
  }
}

function isSkipped(result: CheckedCase | SkippedCase | FailedCase): result is SkippedCase {
  return "skipped" in result;
}

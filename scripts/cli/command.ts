/**
 * What commands share: flags, exit codes, Ctrl-C, and JSON output.
 *
 * @module
 */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { dirname, join } from "node:path";
import { fileError } from "../../src/checkpoint/file_error.ts";
import { isFolder } from "../../src/checkpoint/file_kind.ts";
import { writeFileAtomic } from "../../src/checkpoint/write_file.ts";

/** Flags that commands share; each command has those of them that it uses. */
export interface CommonFlags {
  /** Folder or GGUF file of the model. */
  model: string;
  /** Seed of everything random. */
  seed: number;
  /** Folder or file for results. */
  out?: string;
  /** Whether the result is printed as JSON alone. */
  json?: boolean;
}

/** Model that commands use when none is named. */
export const DEFAULT_MODEL = "fixtures/world/world-qwen3";

/** The call was wrong: exit code 2. */
export class UsageError extends Error {
  /** Name that the exit code goes by. */
  override readonly name = "UsageError";
}

/** Where a command differs in its common flags. */
export interface CommandForm {
  /** Common flags that would do nothing. Default: none. */
  without?: readonly (keyof CommonFlags)[];
  /** Models that are taken where none is named; `--model` takes several then. Default: it takes one. */
  models?: readonly string[];
  /** What `--out` is for. Default: a file for the result as JSON. */
  out?: string;
}

/** Makes a command with the common flags that it uses. */
export function command(name: string, description: string, example: string, form: CommandForm = {}): Command {
  const { models, without = [] } = form;
  const program = new Command(`deno task ${name}`).description(description);
  if (!without.includes("model")) {
    const what = "a model's folder, GGUF file, or org/name once pulled";
    if (models) {
      const several = new Option("--model <paths...>", `${what}; several`);
      program.addOption(several.default([...models], models.join(" ")));
    } else program.option("--model <path>", what, DEFAULT_MODEL);
  }
  if (!without.includes("seed")) program.option("--seed <n>", "seed of everything random", wholeNumber, 0);
  if (!without.includes("out")) program.option("--out <path>", form.out ?? "file to write the result to, as JSON");
  if (!without.includes("json")) program.option("--json", "print the result as JSON alone");
  return program
    .addHelpText("after", `\nExample:\n  ${example}`)
    .showHelpAfterError("(--help shows the flags)")
    .exitOverride();
}

/** Parses texts parted by commas, at least one. */
export function listOf(text: string): string[] {
  const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  if (parts.length === 0) throw new InvalidArgumentError("Wanted at least one; several are parted by commas.");
  return parts;
}

/** Parses whole numbers of at least 0, parted by commas. */
export function wholeNumbers(text: string): number[] {
  return listOf(text).map((part) => wholeNumber(part));
}

/** Parses one of a few words. */
export function oneOf<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found === undefined) throw new InvalidArgumentError(`Wanted ${words.join(" or ")}.`);
    return found;
  };
}

/** Parses some of a few words, parted by commas. */
export function someOf<T extends string>(words: readonly T[]): (text: string) => T[] {
  return (text) => listOf(text).map(oneOf(words));
}

/** Parses a whole number of at least 0. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("Wanted a whole number of at least 0.");
  return value;
}

/** Parses a number of at least 0. */
export function numberFrom0(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError("Wanted a number of at least 0.");
  }
  return value;
}

/**
 * Reads values of flags by a rule of the library, before any work is done.
 *
 * @throws {UsageError} If the rule refuses them.
 */
export function fromFlags<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/**
 * How long signals count as the same Ctrl-C, in milliseconds: `deno task` passes on what the terminal has sent to its
 * children already, half a millisecond later.
 */
const SAME_PRESS_MS = 250;

/** Takes a sentence about what a stopped run leaves for the next one, asked for when it stops. */
export type Keep = (sentence: () => string) => void;

/**
 * Runs a command to its end and exits: 0 done, 1 failed, 2 wrong call, 130 stopped by Ctrl-C, 141 when nobody reads its
 * output any more.
 *
 * The first Ctrl-C aborts the signal, so that the work stops at its next step and says what was kept; the second ends
 * the process at once.
 */
export async function run(
  program: Command,
  action: (signal: AbortSignal, keep: Keep) => Promise<void>,
): Promise<never> {
  const kept: (() => string)[] = [];
  const controller = new AbortController();
  let stoppedAt: number | undefined;
  const onSignal = (): void => {
    if (stoppedAt !== undefined) {
      if (performance.now() - stoppedAt > SAME_PRESS_MS) Deno.exit(130);
      return;
    }
    stoppedAt = performance.now();
    console.error("\nStopping at the next step; press Ctrl-C again to end at once");
    controller.abort(new DOMException("Stopped by Ctrl-C", "AbortError"));
  };
  nameRuntimeFolder();
  try {
    await program.parseAsync(Deno.args, { from: "user" });
    refuseEmptyPaths(program);
    Deno.addSignalListener("SIGINT", onSignal);
    await action(controller.signal, (sentence) => kept.push(sentence));
    Deno.exit(0);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.code === "commander.excessArguments") console.error("(a text of several words stands in quotes)");
      Deno.exit(error.exitCode === 0 ? 0 : 2);
    }
    if (controller.signal.aborted) {
      for (const sentence of kept) console.error(sentence());
      console.error(kept.length > 0 ? "Stopped; no file is half written" : "Stopped; nothing was written");
      Deno.exit(130);
    }
    // Nobody reads the output any more, as behind `| head`: the code is that of other programs then.
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(141);
    const { name, message } = error as Error;
    console.error(`error: ${message}`);
    if (name === "UsageError") console.error("(--help shows the flags)");
    if (!isOurs(error)) console.error((error as Error).stack);
    Deno.exit(name === "UsageError" ? 2 : 1);
  } finally {
    Deno.removeSignalListener("SIGINT", onSignal);
  }
}

/**
 * An empty path is mostly a variable of the shell that is not set.
 *
 * @throws {UsageError} If a flag for a path has an empty text.
 */
function refuseEmptyPaths(program: Command): void {
  for (const option of program.options.filter(({ flags }) => /<(path|file|dir)s?(\.\.\.)?>/.test(flags))) {
    const values = [program.getOptionValue(option.attributeName())].flat();
    if (!values.includes("")) continue;
    throw new UsageError(`Cannot take an empty ${option.long}: give a path, or leave the flag out`);
  }
}

/** Names a runtime folder where there is none: graphics drivers print two lines of error without, though none is used. */
function nameRuntimeFolder(): void {
  if (Deno.build.os !== "linux" || Deno.env.get("XDG_RUNTIME_DIR")) return;
  Deno.env.set("XDG_RUNTIME_DIR", Deno.env.get("TMPDIR") ?? "/tmp");
}

/** Errors that a user can cause carry their remedy; of others the stack is shown. */
function isOurs(error: unknown): boolean {
  return error instanceof UsageError || error instanceof RangeError || error instanceof TypeError ||
    [
      "FileError",
      "HubError",
      "GpuError",
      "NoAdapterError",
      "GpuMemoryError",
      "DeviceLostError",
      "IllConditionedError",
    ].includes((error as Error).name);
}

/**
 * Makes a folder for results and proves that it can be written, before any work is done for it.
 *
 * @throws {FileError} If it cannot be made or written.
 */
export async function prepareFolder(dir: string): Promise<void> {
  const probe = join(dir, `.write-test-${Deno.pid}`);
  try {
    await Deno.mkdir(dir, { recursive: true });
    await Deno.writeTextFile(probe, "");
    await Deno.remove(probe);
  } catch (cause) {
    throw fileError("write", dir, cause);
  }
}

/**
 * Proves before any work is done for it that a file can be written; makes its folder.
 *
 * @param file Path of a flag, absent where the flag is.
 * @throws {FileError} If it is a folder, or its folder cannot be made or written.
 */
export async function prepareFile(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  if (file.endsWith("/") || await isFolder(file)) throw fileError("write", file, new Deno.errors.IsADirectory());
  await prepareFolder(dirname(file));
}

/**
 * Hands a result out: as text or JSON on standard output, and as JSON in the file of `--out`.
 *
 * @param flags Flags of the command, `--out` being a file.
 * @param result What `--json` prints.
 * @param text What is printed otherwise.
 */
export async function handOut(flags: Pick<CommonFlags, "out" | "json">, result: unknown, text: string): Promise<void> {
  if (flags.out !== undefined) await writeFileAtomic(flags.out, `${JSON.stringify(result, null, 2)}\n`);
  console.log(flags.json ? JSON.stringify(result) : text);
}

/**
 * Starts commands as a user does, and presses Ctrl-C.
 *
 * @module
 */

/** The project's folder, which commands are started in. */
export const ROOT = `${import.meta.dirname}/../..`;

/** How a command ended, and what it printed. */
export interface Outcome {
  /** Exit code. */
  code: number;
  /** Standard output. */
  stdout: string;
  /** Standard error. */
  stderr: string;
}

/** Signals twice, as it arrives under `deno task`: from the terminal, and passed on by the task half a millisecond later. */
async function pressCtrlC(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 1));
  try {
    child.kill("SIGINT");
  } catch {
    // It has ended in between.
  }
}

/** Starts a command; `until` says when Ctrl-C is pressed. */
export async function call(name: string, args: readonly string[], until?: () => Promise<boolean>): Promise<Outcome> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `scripts/${name}.ts`, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  if (until) {
    while (!await until()) await new Promise((resolve) => setTimeout(resolve, 20));
    await pressCtrlC(child);
  }
  const { code, stdout, stderr } = await output;
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

/** Names in a folder, none if it is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch {
    return [];
  }
}

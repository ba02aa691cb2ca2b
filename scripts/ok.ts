/** `deno task ok`: every check but the tests; the first that fails ends it. */
import { command, run } from "./cli/command.ts";
import { PROJECT_ROOT } from "./source_files.ts";

/** Arguments of `deno` for each check, the quick ones first. */
const CHECKS: readonly (readonly string[])[] = [
  ["fmt", "--check"],
  ["lint"],
  ["check", "mod.ts", "src", "kernels", "scripts", "tests", "vendor"],
  ["run", "-A", "scripts/check_imports.ts"],
  ["run", "-A", "scripts/lint_kernels.ts"],
  ["run", "-A", "scripts/check_sizes.ts"],
  ["run", "-A", "scripts/check_docs.ts"],
];

const program = command(
  "ok",
  "Checks everything but the tests: format, lint, types, import rules, kernels, sizes of files, docs and their examples.",
  "deno task ok",
  { without: ["model", "seed", "out", "json"] },
);

await run(program, async (signal) => {
  for (const args of CHECKS) {
    signal.throwIfAborted();
    const { success } = await new Deno.Command(Deno.execPath(), { args: [...args], cwd: PROJECT_ROOT, signal }).spawn()
      .status;
    signal.throwIfAborted();
    if (success) continue;
    console.error(`error: deno ${args.join(" ")} failed: see above`);
    Deno.exit(1);
  }
});

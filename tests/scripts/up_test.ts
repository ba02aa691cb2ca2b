import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CHROMIUM_NAMES } from "../display/chromium.ts";

const SCRIPT = `${import.meta.dirname}/../../scripts/up.sh`;
const TOOLS = ["sh", "dirname", "mkdir", "chmod", "sed", "head", "grep", "mktemp", "rm", "cat", "env", "cp"];

/** A machine made of stand-ins: each program is a shell script that writes its call into a log. */
interface Machine {
  /** Programs that are there, by name, each with the body of its script. */
  programs: Record<string, string>;
  /** Arguments of `up.sh`. */
  args: string[];
}

/** What `up.sh` did on a machine. */
interface Outcome {
  code: number;
  /** Everything it printed. */
  text: string;
  /** The calls of the stand-ins that change something, in order. */
  calls: string[];
  /** The environment that the task saw. */
  environment: string;
}

/** A Deno of `version` that finds an adapter once the file `adapter` is there; the task writes down its environment. */
const deno = (version: string): string =>
  [
    'case "$1" in',
    `  --version) echo "deno ${version} (stable, release)" ;;`,
    '  eval) [ -e "$MACHINE/adapter" ] ;;',
    '  task) echo "deno $*" >> "$MACHINE/log"; env > "$MACHINE/environment" ;;',
    "esac",
  ].join("\n");

/** An npm whose package brings Deno 2.9 to the asked prefix. */
const NPM = [
  'if [ "$1" = prefix ]; then echo "$MACHINE/global"; exit 0; fi',
  'while [ "$1" != --prefix ]; do shift; done',
  'echo "npm install $2 $3" >> "$MACHINE/log"',
  'mkdir -p "$2/bin" && cp "$MACHINE/new_deno" "$2/bin/deno"',
].join("\n");

/** An apt-get that brings what it is asked for. */
const APT = [
  'echo "apt-get $*" >> "$MACHINE/log"',
  'case "$*" in',
  '  *mesa*) : > "$MACHINE/adapter" ;;',
  '  *npm) cp "$MACHINE/new_npm" "$MACHINE/bin/npm" ;;',
  "esac",
].join("\n");

const root = "echo 0";
const user = "echo 1000";

async function writeProgram(path: string, body: string): Promise<void> {
  await Deno.writeTextFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

/** Runs `up.sh` on a machine; `adapter` says whether a GPU is found from the start. */
async function runUp({ programs, args }: Machine, adapter = true): Promise<Outcome> {
  const folder = await Deno.makeTempDir();
  try {
    const bin = `${folder}/bin`;
    for (const path of [bin, `${folder}/home`, `${folder}/project/scripts`, `${folder}/global/lib`]) {
      await Deno.mkdir(path, { recursive: true });
    }
    await Deno.copyFile(SCRIPT, `${folder}/project/scripts/up.sh`);
    for (const tool of TOOLS) {
      const { stdout } = await new Deno.Command("sh", { args: ["-c", `command -v ${tool}`] }).output();
      await Deno.symlink(new TextDecoder().decode(stdout).trim(), `${bin}/${tool}`);
    }
    for (const [name, body] of Object.entries({ uname: "echo Linux", ...programs })) {
      await writeProgram(`${bin}/${name}`, body);
    }
    await writeProgram(`${folder}/new_deno`, deno("2.9.6"));
    await writeProgram(`${folder}/new_npm`, NPM);
    if (adapter) await Deno.writeTextFile(`${folder}/adapter`, "");
    const { code, stdout, stderr } = await new Deno.Command(`${bin}/sh`, {
      args: [`${folder}/project/scripts/up.sh`, ...args],
      clearEnv: true,
      env: { PATH: bin, HOME: `${folder}/home`, MACHINE: folder },
      stdin: "null",
    }).output();
    const read = async (name: string): Promise<string> => {
      const text = await Deno.readTextFile(`${folder}/${name}`).catch(() => "");
      return text.replaceAll(await Deno.realPath(folder), "MACHINE").replaceAll(folder, "MACHINE");
    };
    return {
      code,
      text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr),
      calls: (await read("log")).split("\n").filter((line) => line !== ""),
      environment: await read("environment"),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const TASK = (task: string): string => `deno task --config MACHINE/project/deno.json ${task}`;
const APT_INSTALL = "apt-get install -y -q --no-install-recommends";
/** These tests need a POSIX shell. */
const posix = Deno.build.os !== "windows";
if (!posix) console.log("skipped: scripts/up.sh needs a POSIX shell");

function upTest(name: string, body: () => Promise<void>): void {
  Deno.test({ name, ignore: !posix, fn: body });
}

upTest("up.sh installs nothing, needs no root and says nothing where all is there", async () => {
  const { code, calls, text } = await runUp({
    programs: { deno: deno("2.9.6"), chromium: "", id: user, "apt-get": APT, npm: NPM },
    args: ["test", "--filter", "two words"],
  });
  assertEquals([code, text], [0, ""]);
  assertEquals(calls, [`${TASK("test")} --filter two words`]);
});

upTest("up.sh brings Deno from npm into the global prefix where that is writable", async () => {
  const { code, calls, text } = await runUp({ programs: { npm: NPM, id: user }, args: ["demo"] });
  assertEquals(code, 0, text);
  assertEquals(calls, ["npm install MACHINE/global deno@^2.9.0", TASK("demo")]);
  assertStringIncludes(text, "Installing Deno from its npm package into");
});

upTest("up.sh brings Deno from npm into the user's own folder where the global prefix is not writable", async () => {
  const npm = NPM.replace('"$MACHINE/global"', "/nowhere");
  const { code, calls, text } = await runUp({ programs: { npm, id: user }, args: ["demo"] });
  assertEquals(code, 0, text);
  assertEquals(calls[0], "npm install MACHINE/home/.local deno@^2.9.0");
});

upTest("up.sh leaves an older Deno alone and puts a newer one into the project", async () => {
  const { code, calls, text } = await runUp({ programs: { npm: NPM, id: root, deno: deno("2.8.3") }, args: ["demo"] });
  assertEquals(code, 0, text);
  assertEquals(calls, ["npm install MACHINE/project/.cache/tools deno@^2.9.0", TASK("demo")]);
  assertStringIncludes(text, "deno 2.8.3");
});

upTest("up.sh brings everything through apt on a bare machine, refreshing the lists once", async () => {
  const { code, calls, text } = await runUp({ programs: { id: root, "apt-get": APT }, args: ["test"] }, false);
  assertEquals(code, 0, text);
  assertEquals(calls, [
    "apt-get update -q",
    `${APT_INSTALL} nodejs npm`,
    "npm install MACHINE/global deno@^2.9.0",
    `${APT_INSTALL} libvulkan1 mesa-vulkan-drivers`,
    `${APT_INSTALL} chromium`,
    TASK("test"),
  ]);
});

upTest("up.sh uses Deno's own installer where npm is missing and the address answers", async () => {
  const installer = 'mkdir -p "$HOME/.deno/bin" && cp "$MACHINE/new_deno" "$HOME/.deno/bin/deno"';
  const curl = `while [ "$1" != -o ]; do shift; done\necho '${installer}' > "$2"\necho "curl $3" >> "$MACHINE/log"`;
  const programs = { curl, unzip: "", id: root, "apt-get": APT };
  const { code, calls, text } = await runUp({ programs, args: ["demo"] });
  assertEquals(code, 0, text);
  assertEquals(calls, ["curl https://deno.land/install.sh", TASK("demo")]);
});

upTest("up.sh goes on with apt where the installer's address does not answer", async () => {
  const programs = { curl: "exit 28", unzip: "", id: root, "apt-get": APT };
  const { code, calls, text } = await runUp({ programs, args: ["--install-only", "demo"] });
  assertEquals(code, 0, text);
  assertEquals(calls.at(-1), "npm install MACHINE/global deno@^2.9.0");
});

upTest("up.sh uses sudo for apt where the user is not root", async () => {
  const sudo = '[ "$1" = -n ] && exit 0\necho "sudo $1" >> "$MACHINE/log"\n"$@"';
  const programs = { deno: deno("2.9.6"), id: user, sudo, "apt-get": APT };
  const { code, calls, text } = await runUp({ programs, args: ["demo"] }, false);
  assertEquals(code, 0, text);
  assertEquals(calls, [
    "sudo apt-get",
    "apt-get update -q",
    "sudo env",
    `${APT_INSTALL} libvulkan1 mesa-vulkan-drivers`,
    TASK("demo"),
  ]);
});

upTest("up.sh runs the tests without Chromium where apt cannot bring it", async () => {
  const apt = `${APT}\ncase "$*" in *chromium) exit 100 ;; esac`;
  for (const programs of [{ id: root, "apt-get": apt }, { id: user }]) {
    const { code, calls, text } = await runUp({ programs: { deno: deno("2.9.6"), ...programs }, args: ["test"] });
    assertEquals([code, calls.at(-1)], [0, TASK("test")]);
    assertStringIncludes(text, "the browser tests will be skipped");
  }
});

upTest("up.sh installs Chromium unless it finds one by a name that the browser tests know too", async () => {
  for (const name of [...CHROMIUM_NAMES, "chrome"]) {
    const programs = { deno: deno("2.9.6"), [name]: "", id: root, "apt-get": APT };
    const { code, calls, text } = await runUp({ programs, args: ["test"] });
    assertEquals(code, 0, text);
    const installs = name === "chrome" ? ["apt-get update -q", `${APT_INSTALL} chromium`] : [];
    assertEquals(calls, [...installs, TASK("test")], name);
  }
});

upTest("up.sh fails with one line that says what to do", async () => {
  const cases: [Machine, RegExp][] = [
    [{ programs: { id: user }, args: ["demo"] }, /Cannot install Deno: install 2\.9 or newer/],
    [{ programs: { id: user, deno: deno("2.9.6") }, args: ["demo"] }, /No WebGPU adapter found, and apt-get cannot/],
    [
      { programs: { id: root, deno: deno("3.0.0"), uname: "echo Darwin" }, args: ["demo"] },
      /update the graphics driver/,
    ],
    [{ programs: { id: root, deno: deno("2.10.0"), "apt-get": "exit 100" }, args: ["demo"] }, /apt-get failed/],
  ];
  for (const [machine, message] of cases) {
    const { code, text, calls } = await runUp(machine, false);
    assertEquals([code, calls], [1, []]);
    assertMatch(text.trimEnd().split("\n").at(-1)!, message);
  }
});

upTest("up.sh installs without running the task when told", async () => {
  const { code, calls } = await runUp({
    programs: { deno: deno("2.9.6"), id: user },
    args: ["--install-only", "demo"],
  });
  assertEquals([code, calls], [0, []]);
});

upTest("up.sh refuses another task with its usage and exit code 2", async () => {
  for (const args of [[], ["deploy"], ["--install-only"]]) {
    const { code, text } = await runUp({ programs: { id: user }, args });
    assertEquals(code, 2);
    assertStringIncludes(text, "Usage: sh scripts/up.sh [--install-only] demo|test");
  }
});

upTest("up.sh sets the environment of the task inside the project", async () => {
  const { environment } = await runUp({ programs: { deno: deno("2.9.6"), id: user }, args: ["demo"] });
  assertMatch(environment, /^DENO_WEBGPU_BACKEND=vulkan$/m);
  assertMatch(environment, /^XDG_RUNTIME_DIR=MACHINE\/project\/\.cache\/runtime$/m);
  assertMatch(environment, /^MESA_SHADER_CACHE_DIR=MACHINE\/project\/\.cache\/mesa$/m);
});

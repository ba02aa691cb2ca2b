import { assertEquals, assertThrows } from "@std/assert";
import { SEARCH_LOG_FIELDS, searchStep } from "../../kernels/search_step.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { searchDecision, type SearchNumbers, type SearchReading } from "../reference/search.ts";
import { assertWithin, normals, UNIT } from "./operands.ts";

const gpu = await Gpu.open();
const NUMBERS: SearchNumbers = {
  step: 1,
  steps: 4,
  klFactor: 0.0625,
  stopBelow: 0.05,
  stopOn: "loss",
  switchFactor: false,
  baseFactor: 1,
  klStop: 0.01,
};

/** A step that has met none of its labels, far from its end. */
function reading(labels: number, klRows: number, vectors: number): SearchReading {
  return {
    logProb: normals("log p", labels).map((x) => -Math.abs(x) - 1),
    argmax: Array.from({ length: labels }, (_, i) => i + 1),
    target: Array.from({ length: labels }, (_, i) => i),
    weight: normals("weight", labels).map((x) => Math.abs(x) / labels),
    kl: normals("kl", klRows).map(Math.abs),
    norms: normals("norms", vectors).map(Math.abs),
    decay: normals("decay", vectors).map(Math.abs),
    factor: 0.5,
  };
}

/** Everything that a step leaves behind. */
interface Left {
  stopped: number;
  evaluations: number;
  factor: number;
  met: number;
  log: Float32Array;
  scaled: Float32Array;
}

/** Runs the kernel on a state as the step before left it. */
async function run(given: SearchReading, numbers: SearchNumbers, stopped = 0): Promise<Left> {
  using stack = new DisposableStack();
  const f32 = (values: ArrayLike<number>, label: string) =>
    stack.use(gpu.upload(Float32Array.from(values), [values.length], label));
  const u32 = (values: ArrayLike<number>, label: string) =>
    stack.use(gpu.upload(Uint32Array.from(values), [values.length], label));
  const [labels, klRows] = [given.target.length, given.kl.length];
  const width = SEARCH_LOG_FIELDS + labels + given.norms.length;
  const padding = new Array<number>(klRows).fill(7);
  const bits = new Uint32Array(Float32Array.of(given.factor).buffer)[0]!;
  const state = u32([stopped, numbers.step, bits, 0], "state");
  const log = f32(new Float32Array(width * numbers.steps).fill(-9), "log");
  const scaled = f32(new Float32Array(labels + klRows).fill(-9), "scaled");
  searchStep(gpu.stream, {
    logProb: f32([...Array.from(given.logProb), ...padding], "log p"),
    argmax: u32([...Array.from(given.argmax), ...padding], "argmax"),
    target: u32(given.target, "target"),
    weight: f32(given.weight, "weight"),
    kl: f32(klRows > 0 ? given.kl : [5], "kl"),
    norms: f32(given.norms, "norms"),
    decay: f32(given.decay, "decay"),
    state,
    log,
    scaled,
  }, { ...numbers, klRows });
  const [words, lines, weights] = await gpu.stream.read(state, log, scaled);
  const [end, evaluations, factor, met] = words as Uint32Array;
  return {
    stopped: end!,
    evaluations: evaluations!,
    factor: new Float32Array(Uint32Array.of(factor!).buffer)[0]!,
    met: met!,
    log: lines as Float32Array,
    scaled: weights as Float32Array,
  };
}

/** Rounding error of a sum of products in f32: k products and sums of magnitudes |a| |b|. */
function sumError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return 2 * a.length * UNIT * Array.from(a).reduce((sum, x, i) => sum + Math.abs(x * b[i]!), 0);
}

async function check(
  labels: number,
  klRows: number,
  vectors: number,
  change: Partial<SearchNumbers> = {},
): Promise<void> {
  const numbers = { ...NUMBERS, ...change };
  const given = reading(labels, klRows, vectors);
  const want = searchDecision(given, numbers);
  const left = await run(given, numbers);
  const width = SEARCH_LOG_FIELDS + labels + vectors;
  const line = left.log.subarray(numbers.step * width, (numbers.step + 1) * width);
  const nll = sumError(given.weight, given.logProb);
  const kl = sumError(new Array<number>(klRows).fill(numbers.klFactor), given.kl);
  const wd = sumError(given.decay, given.norms);
  const loss = want.factor * nll + kl + wd + 4 * UNIT * (want.factor * want.nll + want.kl + want.wd);
  const name = `${labels} labels, ${klRows} kept, ${vectors} vectors`;
  assertWithin(
    line.subarray(0, 6),
    [want.nll, want.factor, want.kl, want.wd, want.loss, Number(want.met)],
    [nll, UNIT * want.factor, kl, wd, loss, 0],
    name,
  );
  assertEquals([...line.subarray(SEARCH_LOG_FIELDS)], [...Array.from(given.logProb), ...Array.from(given.norms)]);
  assertWithin(
    left.scaled,
    [...Array.from(given.weight, (w) => want.factor * w), ...new Array<number>(klRows).fill(0)],
    [...Array.from(given.weight, (w) => 2 * UNIT * want.factor * w), ...new Array<number>(klRows).fill(0)],
    `scaled weights of ${name}`,
  );
  assertEquals([left.stopped, left.evaluations, left.met], [Number(want.stopped), numbers.step + 1, Number(want.met)]);
  const others = [...left.log.subarray(0, numbers.step * width), ...left.log.subarray((numbers.step + 1) * width)];
  assertEquals(new Set(others), new Set([-9]), "other lines");
}

Deno.test("searchStep() logs the loss and its parts like its twin, for one label and many, with and without kept rows", async () => {
  await check(1, 0, 1);
  await check(1, 1, 2);
  await check(13, 1, 2);
  await check(257, 3, 5);
});

Deno.test("searchStep() starts from the base factor, whatever the state held", async () => {
  await check(5, 1, 2, { step: 0, baseFactor: 0.3 });
});

Deno.test("searchStep() ends at the last evaluation and below the wanted value, of the loss or of the likelihood alone", async () => {
  const given = reading(4, 1, 1);
  const { loss, nll } = searchDecision(given, NUMBERS);
  const stopped = async (change: Partial<SearchNumbers>): Promise<number> =>
    (await run(given, { ...NUMBERS, ...change })).stopped;
  assertEquals(await stopped({ step: 3 }), 1);
  assertEquals(await stopped({ step: 2 }), 0);
  assertEquals(await stopped({ stopBelow: loss * 1.001 }), 1);
  assertEquals(await stopped({ stopBelow: loss * 0.999 }), 0);
  assertEquals(await stopped({ stopOn: "nll", stopBelow: nll * 1.001 }), 1);
  assertEquals(await stopped({ stopOn: "nll", stopBelow: nll * 0.999 }), 0);
});

Deno.test("searchStep() takes a tenth of the base factor once every label is met, and goes back when one is lost", async () => {
  const given = reading(3, 1, 1);
  const met = { ...given, argmax: given.target };
  const almost = { ...given, argmax: [0, 1, 9] };
  const numbers = { ...NUMBERS, switchFactor: true, baseFactor: 0.8, klStop: 0 };
  assertEquals((await run(met, numbers)).factor, Math.fround(Math.fround(0.8) * Math.fround(0.1)));
  assertEquals((await run(almost, numbers)).factor, Math.fround(0.8));
  assertEquals((await run(met, { ...numbers, switchFactor: false })).factor, 0.5);
});

Deno.test("searchStep() ends a switching search when every label is met within the allowed divergence", async () => {
  const given = { ...reading(3, 1, 1), kl: [0.5] };
  const met = { ...given, argmax: given.target };
  const numbers = { ...NUMBERS, switchFactor: true, klFactor: 1 };
  assertEquals((await run(met, { ...numbers, klStop: 0.5 })).stopped, 1);
  assertEquals((await run(met, { ...numbers, klStop: 0.499 })).stopped, 0);
  assertEquals((await run(given, { ...numbers, klStop: 0.5 })).stopped, 0);
  assertEquals((await run(met, { ...numbers, klStop: 0.5, switchFactor: false })).stopped, 0);
});

Deno.test("searchStep() changes neither state nor log of a search that has stopped", async () => {
  const left = await run(reading(3, 1, 1), { ...NUMBERS, step: 2 }, 1);
  assertEquals([left.stopped, left.evaluations, left.factor, left.met], [1, 2, 0.5, 0]);
  assertEquals(new Set(left.log), new Set([-9]));
});

Deno.test("searchStep() refuses operands whose lengths do not fit together", () => {
  using one = gpu.zeros([1], "one");
  using two = gpu.zeros([2], "two");
  using words = gpu.zeros([1], "words", "u32");
  using state = gpu.zeros([4], "state", "u32");
  const input = { logProb: two, argmax: words, target: words, weight: one, kl: one, norms: one, decay: one, state };
  assertThrows(
    () => searchStep(gpu.stream, { ...input, log: one, scaled: one }, { ...NUMBERS, klRows: 0 }),
    RangeError,
    "Cannot record a search step: found 1 labels and 1 vectors, wanted operands of the same lengths and a log of 4 " +
      "lines of 10",
  );
});

Deno.test("searchStep() leaves no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});

import { assertEquals, assertThrows } from "@std/assert";
import { benchMarkdown, type Comparison, formatValue, meetsGoal } from "./comparison.ts";
import { checkProduct } from "./matmul_bench.ts";
import { checkRanking } from "./neurons_bench.ts";
import { transposed } from "./peers.ts";

const line = (value: number, goal?: Comparison["goal"]): Comparison => ({
  bench: "matmul",
  what: "product",
  ours: "1 ms",
  against: "7 ms",
  value,
  unit: "x",
  ...(goal ? { goal } : {}),
});

Deno.test("meetsGoal() takes the bound itself as met, on either side", () => {
  const least = { side: "at least", value: 6 } as const;
  const most = { side: "at most", value: 6 } as const;
  assertEquals([5.9, 6, 6.1].map((value) => meetsGoal(line(value, least))), [false, true, true]);
  assertEquals([5.9, 6, 6.1].map((value) => meetsGoal(line(value, most))), [true, true, false]);
  assertEquals(meetsGoal(line(1)), null);
});

Deno.test("formatValue() writes three digits with the unit, and whole numbers as they are", () => {
  assertEquals([formatValue(8.2345, "x"), formatValue(21.04, "%"), formatValue(1, ""), formatValue(1 / 3, "")], [
    "8.23 x",
    "21 %",
    "1",
    "0.333",
  ]);
});

Deno.test("benchMarkdown() names machine and date and judges each line", () => {
  const machine = { adapter: "card", runtime: "Deno 2", date: "2026-01-02" };
  const comparisons = [
    line(7.5, { side: "at least", value: 6 }),
    line(2, { side: "at least", value: 6 }),
    line(0.25),
  ];
  assertEquals(benchMarkdown({ machine, comparisons }).split("\n"), [
    "card; Deno 2; 2026-01-02",
    "",
    "| what | ours | against | value | goal |  |",
    "| --- | --- | --- | ---: | ---: | --- |",
    "| product | 1 ms | 7 ms | 7.5 x | at least 6 x | met |",
    "| product | 1 ms | 7 ms | 2 x | at least 6 x | missed |",
    "| product | 1 ms | 7 ms | 0.25 x |  |  |",
  ]);
});

Deno.test("checkProduct() accepts the right product and names a wrong one", () => {
  const product = {
    rows: 2,
    inner: 2,
    cols: 1,
    a: new Float32Array([1, 2, 3, 4]),
    b: new Float32Array([5, 6]),
  };
  checkProduct("ours", product, new Float32Array([17, 39]), 0);
  assertThrows(() => checkProduct("theirs", product, new Float32Array([17.5, 39.5]), 0), Error, "theirs is wrong at [");
  assertThrows(
    () => checkProduct("theirs", product, new Float32Array(1), 0),
    Error,
    "theirs gave 1 outputs, wanted 2",
  );
});

Deno.test("checkRanking() compares scores place by place", () => {
  const want = [{ index: 4, score: 2 }, { index: 1, score: 1 }];
  checkRanking([{ index: 4, score: 2.00001 }, { index: 9, score: 1 }], want);
  assertThrows(() => checkRanking([want[1]!, want[0]!], want), Error, "Neuron 1 at place 0 has score 1, wanted 2");
  assertThrows(() => checkRanking([], want), Error, "Got 0 neurons, wanted 2");
});

Deno.test("transposed() exchanges rows and columns", () => {
  assertEquals([...transposed(new Float32Array([1, 2, 3, 4, 5, 6]), 2, 3)], [1, 4, 2, 5, 3, 6]);
});

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { checkSampling, sampleIndex, type SamplingOptions } from "../../src/model/sampling.ts";

/** Logits of probabilities 0.5, 0.25, 0.15, 0.1 at temperature 1. */
const LOGITS = [0.5, 0.25, 0.15, 0.1].map(Math.log);

/** Share of each candidate over an even grid of draws. */
function shares(options: SamplingOptions, draws = 10000): number[] {
  const counts = new Array<number>(LOGITS.length).fill(0);
  for (let i = 0; i < draws; i++) counts[sampleIndex(LOGITS, options, (i + 0.5) / draws)]!++;
  return counts.map((count) => count / draws);
}

function assertShares(options: SamplingOptions, want: readonly number[]): void {
  // A grid of n draws cuts an interval to within one draw at either end.
  shares(options).forEach((share, i) => assertAlmostEquals(share, want[i]!, 2e-4));
}

Deno.test("sampleIndex() draws candidates by their probability", () => {
  assertShares({ temperature: 1 }, [0.5, 0.25, 0.15, 0.1]);
});

Deno.test("sampleIndex() takes the most likely at temperature 0", () => {
  assertEquals(shares({ temperature: 0 }), [1, 0, 0, 0]);
  assertEquals(shares({}), [1, 0, 0, 0]);
});

Deno.test("sampleIndex() flattens with temperature", () => {
  const roots = [0.5, 0.25, 0.15, 0.1].map(Math.sqrt);
  const total = roots.reduce((a, b) => a + b, 0);
  assertShares({ temperature: 2 }, roots.map((root) => root / total));
});

Deno.test("sampleIndex() keeps the topK likeliest", () => {
  assertShares({ temperature: 1, topK: 2 }, [2 / 3, 1 / 3, 0, 0]);
  assertShares({ temperature: 1, topK: 100 }, [0.5, 0.25, 0.15, 0.1]);
});

Deno.test("sampleIndex() keeps the smallest set that reaches topP", () => {
  assertShares({ temperature: 1, topP: 0.4 }, [1, 0, 0, 0]);
  assertShares({ temperature: 1, topP: 0.6 }, [2 / 3, 1 / 3, 0, 0]);
  assertShares({ temperature: 1, topP: 0.8 }, [0.5 / 0.9, 0.25 / 0.9, 0.15 / 0.9, 0]);
  // Among the topK, their own probabilities count.
  assertShares({ temperature: 1, topK: 2, topP: 0.6 }, [1, 0, 0, 0]);
});

Deno.test("checkSampling() refuses numbers outside their range", () => {
  checkSampling({ temperature: 0.7, topK: 128, topP: 1 });
  const refuse = (options: SamplingOptions, message: string): void => {
    assertThrows(() => checkSampling(options), RangeError, message);
  };
  refuse({ temperature: -1 }, "Cannot sample with temperature -1: wanted a number from 0 up");
  refuse({ temperature: NaN }, "Cannot sample with temperature NaN: wanted a number from 0 up");
  refuse({ topK: 0 }, "Cannot sample with topK 0: wanted an integer from 1 to 128");
  refuse({ topK: 129 }, "Cannot sample with topK 129: wanted an integer from 1 to 128");
  refuse({ topP: 0 }, "Cannot sample with topP 0: wanted a number in (0, 1]");
  refuse({ topP: 1.1 }, "Cannot sample with topP 1.1: wanted a number in (0, 1]");
});

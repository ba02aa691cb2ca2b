/**
 * Model folders that must be refused, and a test for each.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import type { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import { type ModelChange, withChangedModel } from "./model_files.ts";

/** A model folder that must be refused. */
export interface Refused extends ModelChange {
  /** What is wrong with it. */
  what: string;
  /** Changes the folder after it was written. */
  folder?: (dir: string) => Promise<void>;
  /** Name of the error. */
  error: "FileError" | "TypeError" | "RangeError";
  /** Its whole message, DIR standing for the folder. */
  message: string;
}

/** A change of one field of the config; undefined takes it away. */
export function field(name: string, value: unknown): Pick<ModelChange, "config"> {
  return { config: (config) => value === undefined ? delete config[name] : config[name] = value };
}

/** Makes a test of each refusal: its error with its whole message, and no memory left. */
export function testRefusals(gpu: Gpu, refusals: readonly Refused[]): void {
  for (const { what, folder, error, message, ...change } of refusals) {
    Deno.test(`loadModel() refuses ${what}`, async () => {
      await withChangedModel(change, async (dir) => {
        await folder?.(dir);
        const refused = await assertRejects(() => loadModel(gpu, dir)) as Error;
        assertEquals([refused.name, refused.message.replaceAll(dir, "DIR")], [error, message]);
      });
      assertEquals(gpu.memory().live, 0);
    });
  }
  Deno.test("refused models leave no memory behind", () => {
    assertEquals(gpu.memory().live, 0);
    gpu.close();
  });
}

/**
 * Patch files under damage: of their bytes, of their header's values, and of the JSON in its metadata.
 *
 * @module
 */
import fc from "fast-check";
import { join } from "node:path";
import { loadEdit } from "../../src/editing/patch_file.ts";
import type { Model } from "../../src/model/model.ts";
import { rawFile } from "../checkpoint/files.ts";
import { mutatedBytes, mutatedJson } from "./mutations.ts";
import { type FuzzTarget, target } from "./target.ts";

/** A patch file of one factor pair, as `edit --save` writes it. */
export function patchTarget(dir: string, model: Model): FuzzTarget {
  const path = join(dir, "patch.safetensors");
  const { dModel, dMlp } = model.config;
  const parts = {
    record: { method: "ace", mode: "chain", modelHash: model.hash, model: model.dir, requests: [] },
    norms: [{ layer: 1, change: 0.5, relative: 0.1 }],
    tensors: {
      "blocks.1.mlp.W_out.left": { dtype: "F32", shape: [dModel, 1], data_offsets: [0, 4 * dModel] },
      "blocks.1.mlp.W_out.right": {
        dtype: "F32",
        shape: [dMlp, 1],
        data_offsets: [4 * dModel, 4 * (dModel + dMlp)],
      },
    },
  };
  /** The file of these parts, whatever they have become. */
  const fileOf = (value: unknown): Uint8Array<ArrayBuffer> => {
    const { record, norms, tensors } = (value ?? {}) as Partial<typeof parts>;
    const text = {
      format: "ace-webgpu edit",
      version: "1",
      record: JSON.stringify(record),
      norms: JSON.stringify(norms),
    };
    return rawFile({ __metadata__: text, ...tensors }, 4 * (dModel + dMlp));
  };
  const damaged = fc.oneof(mutatedBytes(fileOf(parts)), mutatedJson(parts).map(fileOf));
  return target("patch", damaged, async (bytes) => {
    await Deno.writeFile(path, bytes);
    using edit = await loadEdit(model, path);
    for (const { layer, change, relative } of edit.norms()) {
      // A change of a weight of zeros is infinite next to it.
      if (!Number.isFinite(layer) || !Number.isFinite(change) || Number.isNaN(relative)) {
        throw new Error("A norm that is no number was accepted");
      }
    }
  }, { size: (bytes) => bytes.length });
}

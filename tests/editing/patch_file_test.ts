import { assertEquals, assertLess, assertRejects, assertStrictEquals } from "@std/assert";
import { FileError } from "../../src/checkpoint/file_error.ts";
import { SafetensorsFile } from "../../src/checkpoint/safetensors_reader.ts";
import { type TensorToWrite, writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import { Edit } from "../../src/editing/edit.ts";
import { measurePatches } from "../../src/editing/edit_norms.ts";
import { loadEdit, readPatch, saveEdit } from "../../src/editing/patch_file.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { loadModel } from "../../src/model/load_model.ts";
import type { Model } from "../../src/model/model.ts";
import { listFolder, withFolder } from "../checkpoint/files.ts";
import { loadSmall, readTensors, withChangedModel } from "../model/model_files.ts";
import { randomEdit, readOutputs } from "./small_edits.ts";

const gpu = await Gpu.open();

/** Checks the message with which the file of an edit is refused after a change to its tensors or description. */
async function assertRefused(
  model: Model,
  message: string,
  change: (tensors: Map<string, TensorToWrite>, metadata: Record<string, string>) => void,
): Promise<void> {
  await withFolder(async (dir) => {
    const path = `${dir}/edit.safetensors`;
    await saveEdit(randomEdit(model, "one", [1]), path);
    const tensors = await readTensors(path);
    const metadata: Record<string, string> = {};
    {
      using file = await SafetensorsFile.open(path);
      for (const [key, value] of file.metadata) metadata[key] = value;
    }
    change(tensors, metadata);
    await writeSafetensors(path, [...tensors.values()], metadata);
    const error = await assertRejects(() => loadEdit(model, path), FileError);
    assertEquals(error.message, `Cannot load edit ${path}: ${message}`);
    assertEquals(error.path, path);
  });
}

Deno.test("loadEdit() reads an edit of a weight of zeros, of whose norm a change is no part", async () => {
  const name = "transformer.h.2.mlp.fc_out.weight";
  const tensors = (all: Map<string, TensorToWrite>): void => {
    const weight = all.get(name)!;
    all.set(name, { ...weight, data: new Uint8Array((weight.data as Uint8Array).length) });
  };
  await withChangedModel({ tensors }, async (dir) => {
    using model = await loadModel(gpu, dir);
    const { record, patches } = randomEdit(model, "zeros", [2]);
    const norms = await measurePatches(model, patches);
    assertEquals(norms.map(({ relative }) => relative), [Infinity]);
    using saved = new Edit(model, record, patches, norms);
    await saveEdit(saved, `${dir}/edit.safetensors`);
    using loaded = await loadEdit(model, `${dir}/edit.safetensors`);
    assertEquals(loaded.norms(), norms);
  });
});

Deno.test("saveEdit() and loadEdit() keep an edit with its record, bit for bit", async () => {
  using model = await loadSmall(gpu);
  await withFolder(async (dir) => {
    const path = `${dir}/new/edit.safetensors`;
    using saved = randomEdit(model, "saved", [4, 1]);
    await saveEdit(saved, path);
    assertEquals(await listFolder(`${dir}/new`), ["edit.safetensors"]);
    using loaded = await loadEdit(model, path);
    assertEquals(loaded.record, saved.record);
    assertEquals(loaded.norms(), saved.norms());
    assertEquals(loaded.patches, [saved.patches[1]!, saved.patches[0]!]);

    const stored = model.weights.get("blocks.4.mlp.W_out");
    saved.apply();
    const wanted = await readOutputs(model);
    saved.revert();
    loaded.apply();
    assertEquals(await readOutputs(model), wanted);
    loaded.revert();
    assertStrictEquals(model.weights.get("blocks.4.mlp.W_out"), stored);
  });
});

Deno.test("loadEdit() takes an edit of the same weights in another folder, and of none other", async () => {
  await withFolder(async (dir) => {
    const path = `${dir}/edit.safetensors`;
    using model = await loadSmall(gpu);
    await saveEdit(randomEdit(model, "one", [1]), path);
    await withChangedModel({}, async (copy) => {
      using same = await loadModel(gpu, copy);
      assertEquals((await loadEdit(same, path)).record.modelHash, model.hash);
    });
    const tensors = (list: Map<string, TensorToWrite>): void => {
      const { data } = list.get("lm_head.bias")!;
      new Float32Array(data.buffer as ArrayBuffer, data.byteOffset, 1)[0]! += 1;
    };
    await withChangedModel({ tensors }, async (changed) => {
      using other = await loadModel(gpu, changed);
      const error = await assertRejects(() => loadEdit(other, path), FileError);
      assertEquals(
        error.message,
        `Cannot load edit ${path}: it was made for gptj, 6 layers, dModel 48 with weights ${
          model.hash.slice(0, 12)
        }, ` +
          `found a model with weights ${other.hash.slice(0, 12)}. Load the model that it was made for`,
      );
    });
  });
});

Deno.test("loadEdit() refuses a newer version before it looks at anything else", async () => {
  using model = await loadSmall(gpu);
  await assertRefused(
    model,
    "found version 2, wanted at most 1. Use a newer release of ace-webgpu",
    (_, metadata) => {
      metadata["version"] = "2";
      delete metadata["record"];
    },
  );
});

Deno.test("loadEdit() says what is wrong with a file that is no whole edit", async () => {
  using model = await loadSmall(gpu);
  const refused = (message: string, change: Parameters<typeof assertRefused>[2]): Promise<void> =>
    assertRefused(model, message, change);
  await refused(
    "found a file that is no edit. Give the file that `edit --save` wrote",
    (_, metadata) => delete metadata["format"],
  );
  await refused(
    "its description is incomplete. Save the edit again",
    (_, metadata) => delete metadata["norms"],
  );
  await refused(
    "its description is damaged. Save the edit again",
    (_, metadata) => metadata["record"] = metadata["record"]!.slice(0, 40),
  );
  await refused(
    "its description is damaged. Save the edit again",
    (_, metadata) => metadata["norms"] = '[{"layer":1,"change":"large"}]',
  );
  const left = "blocks.1.mlp.W_out.left";
  const right = "blocks.1.mlp.W_out.right";
  await refused(`factor "${right}" is missing. Save the edit again`, (tensors) => tensors.delete(right));
  await refused("it holds no change of a weight. Save the edit again", (tensors) => tensors.clear());
  await refused(
    `factor "${left}" is F16 [96,2], wanted F32 of two sizes from 1. Save the edit again`,
    (tensors) => tensors.set(left, { ...tensors.get(left)!, dtype: "F16", shape: [96, 2] }),
  );
  await refused(
    `factor "${left}" is F32 [48,0], wanted F32 of two sizes from 1. Save the edit again`,
    (tensors) => {
      for (const [name, rows] of [[left, 48], [right, 96]] as const) {
        tensors.set(name, { ...tensors.get(name)!, shape: [rows, 0], data: new Float32Array(0) });
      }
    },
  );
  await refused(
    'its changes do not fit the model (Cannot find the block of hook "embed.W_E": wanted blocks.N.\u2026). ' +
      "Save the edit again",
    (tensors) => {
      for (const [name, rows] of [["embed.W_E.left", model.config.vocab], ["embed.W_E.right", 48]] as const) {
        tensors.set(name, { name, dtype: "F32", shape: [rows, 1], data: new Float32Array(rows) });
      }
    },
  );
  await refused(
    `factor "${left}" holds values that are NaN or infinite. Compute the edit again`,
    (tensors) => {
      const { data } = tensors.get(left)!;
      new Float32Array(data.buffer as ArrayBuffer, data.byteOffset, 1)[0] = NaN;
    },
  );
  await refused(
    'its changes do not fit the model (Cannot change "blocks.1.mlp.W_out" [48, 96]: found factors of 96 and 192 ' +
      "elements, wanted 192 and 384 for rank 4. The change belongs to another model). Save the edit again",
    (tensors) => tensors.set(left, { ...tensors.get(left)!, shape: [24, 4] }),
  );
  await refused(
    'its changes do not fit the model (Cannot find weight "blocks.9.mlp.W_out": this model has 65 others). ' +
      "Save the edit again",
    (tensors) => {
      for (const name of [left, right]) {
        const moved = name.replace("1", "9");
        tensors.set(moved, { ...tensors.get(name)!, name: moved });
        tensors.delete(name);
      }
    },
  );
});

Deno.test("loadEdit() refuses a file that was cut off", async () => {
  using model = await loadSmall(gpu);
  await withFolder(async (dir) => {
    const path = `${dir}/edit.safetensors`;
    await saveEdit(randomEdit(model, "one", [1]), path);
    const bytes = await Deno.readFile(path);
    await Deno.writeFile(path, bytes.subarray(0, bytes.length - 100));
    const error = await assertRejects(() => loadEdit(model, path), FileError);
    assertEquals(error.path, path);
  });
});

Deno.test("readPatch() takes no longer for a name among many", async () => {
  const count = 30_000;
  const tensors = Array.from({ length: 2 * count }, (_, i): TensorToWrite => {
    const name = `blocks.${i >> 1}.mlp.W_out.${i % 2 === 0 ? "left" : "right"}`;
    return { name, dtype: "F32", shape: [0, 1], data: new Float32Array(0) };
  });
  const record = JSON.stringify({ method: "ace", mode: null, modelHash: "", model: "", requests: [] });
  await withFolder(async (dir) => {
    const path = `${dir}/edit.safetensors`;
    await writeSafetensors(path, tensors, { format: "ace-webgpu edit", version: "1", record, norms: "[]" });
    const start = performance.now();
    assertEquals((await readPatch(path, { hash: "", check: () => {} })).patches.length, count);
    // 1 s where the names are looked up, 20 s where they are listed anew for each.
    assertLess(performance.now() - start, 8000);
  });
});

Deno.test("loaded edits leave no memory behind", () => {
  assertEquals(gpu.memory().live, 0);
  gpu.close();
});

/**
 * Which files of a model are needed, of the many that its repository may hold.
 *
 * @module
 */
import { INDEX_FILE, SINGLE_FILE } from "../checkpoint_folder.ts";
import { conversionCommand } from "../conversion_command.ts";
import { QUANTISATION_FILES } from "../quantised_folder.ts";
import { HubError } from "./hub_error.ts";
import type { HubFile } from "./hub_client.ts";
import { isInnerPath } from "./repo_name.ts";

/** Files without which a folder is no model. */
const REQUIRED = ["config.json", "tokenizer.json"];

/** Files that are taken where a model has them. */
const OPTIONAL = ["generation_config.json", "tokenizer_config.json", ...Object.keys(QUANTISATION_FILES)];

/** Candidates that a message names at most. */
const NAMED = 12;

/** Needed files: those that describe the model, and its weights or the index that names them. */
export interface FileChoice {
  /** Config and tokenizer. */
  readonly small: readonly HubFile[];
  /** `model.safetensors`, its index, or a GGUF file. */
  readonly weights: HubFile;
}

/**
 * Chooses the files of a model in Hugging Face layout.
 *
 * @param repo `org/name`, for messages.
 * @param files All files of the model.
 * @returns The needed ones.
 * @throws {HubError} If the model lacks one, with the remedy.
 */
export function chooseFolderFiles(repo: string, files: readonly HubFile[]): FileChoice {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const weights = byPath.get(SINGLE_FILE) ?? byPath.get(INDEX_FILE);
  if (!weights) throw noWeights(repo, files);
  for (const name of REQUIRED) {
    if (byPath.has(name)) continue;
    const remedy = name === "tokenizer.json"
      ? `make one with Python: ${conversionCommand(repo, folderName(repo))}`
      : "choose a model in the layout of transformers";
    throw new HubError(`Cannot use ${repo}: it has no ${name}; ${remedy}`);
  }
  const small = [...REQUIRED, ...OPTIONAL].flatMap((name) => byPath.get(name) ?? []);
  return { small, weights };
}

/**
 * Finds the shards that an index names.
 *
 * @param repo `org/name`, for messages.
 * @param files All files of the model.
 * @param names Names in the index, checked to stay in the folder.
 * @returns The shards, once each.
 * @throws {HubError} If the model lacks one.
 */
export function chooseShards(repo: string, files: readonly HubFile[], names: Iterable<string>): HubFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return [...new Set(names)].sort().map((name) => {
    const shard = byPath.get(name);
    if (shard) return shard;
    throw new HubError(
      `Cannot use ${repo}: its ${INDEX_FILE} names ${name}, which it does not have; choose another revision`,
    );
  });
}

/**
 * Chooses one GGUF file.
 *
 * @param repo `org/name`, for messages.
 * @param files All files of the model.
 * @param pattern Its path, its name, or either with `*` for any text; letters in either case.
 * @returns The file.
 * @throws {HubError} If none or several fit, with the candidates, or its path leads out of the folder.
 */
export function chooseGguf(repo: string, files: readonly HubFile[], pattern: string): HubFile {
  const all = files.filter(({ path }) => /\.gguf$/i.test(path));
  const text = pattern.split("*").map(RegExp.escape).join(".*");
  const fits = new RegExp(`^(?:.*/)?${text}$`, "i");
  const found = all.filter(({ path }) => path === pattern);
  if (found.length === 0) found.push(...all.filter(({ path }) => fits.test(path)));
  if (found.length === 1) {
    const { path } = found[0]!;
    if (isInnerPath(path)) return found[0]!;
    throw new HubError(
      `Cannot use ${repo}: the hub lists the file ${JSON.stringify(path)}, which leads out of its folder`,
    );
  }
  const candidates = found.length > 0 ? found : all;
  const list = candidates.slice(0, NAMED).map(({ path, size }) =>
    `${JSON.stringify(path)} (${(size / 1e6).toFixed(0)} MB)`
  );
  if (candidates.length > NAMED) list.push(`${candidates.length - NAMED} more`);
  throw new HubError(
    all.length === 0
      ? `Cannot use ${repo}: it has no GGUF file; leave --gguf out to fetch its safetensors weights`
      : `Cannot choose a GGUF file of ${repo} by ${JSON.stringify(pattern)}: ${
        found.length === 0 ? "none fits" : "several fit"
      }; ` +
        `give --gguf one of ${list.join(", ")}`,
  );
}

function noWeights(repo: string, files: readonly HubFile[]): HubError {
  const paths = files.map(({ path }) => path);
  if (paths.some((path) => /^pytorch_model.*\.bin(\.index\.json)?$/.test(path))) {
    return new HubError(
      `Cannot use ${repo}: its weights are in pytorch_model.bin, which may run code when it is read, wanted ` +
        `${SINGLE_FILE}; convert it with Python: ${conversionCommand(repo, folderName(repo))}`,
    );
  }
  const gguf = paths.filter((path) => /\.gguf$/i.test(path));
  const remedy = gguf.length > 0
    ? `choose one of its ${gguf.length} GGUF files: --gguf ${JSON.stringify(gguf[0])}`
    : "choose a model with safetensors weights";
  return new HubError(`Cannot use ${repo}: it has neither ${SINGLE_FILE} nor ${INDEX_FILE}; ${remedy}`);
}

function folderName(repo: string): string {
  return repo.slice(repo.indexOf("/") + 1);
}

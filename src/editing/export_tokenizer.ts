/**
 * The files of a tokenizer that only the metadata of a GGUF file describe.
 *
 * @module
 */
import { join } from "node:path";
import { FileError } from "../checkpoint/file_error.ts";
import { writeFileAtomic } from "../checkpoint/write_file.ts";
import { describeGgufTokenizer, type TokenizerDescription } from "../model/tokenizer_gguf.ts";

/** Key of the template by which chats become text. */
const CHAT_TEMPLATE = "tokenizer.chat_template";

/**
 * Writes `tokenizer.json` and `tokenizer_config.json` by the metadata of a GGUF file.
 *
 * @param metadata Metadata of the file.
 * @param path The file.
 * @param to Folder to write.
 * @returns Their names; none where the metadata hold no tokenizer that is known.
 * @throws {FileError} If one cannot be written.
 */
export async function writeGgufTokenizer(
  metadata: Record<string, unknown>,
  path: string,
  to: string,
): Promise<string[]> {
  const described = describe(metadata, path);
  if (described === null) return [];
  const { json, names } = described;
  const template = metadata[CHAT_TEMPLATE];
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    ...names,
    clean_up_tokenization_spaces: false,
    ...(typeof template === "string" ? { chat_template: template } : {}),
  };
  const files = { "tokenizer.json": json, "tokenizer_config.json": config };
  for (const [name, content] of Object.entries(files)) {
    await writeFileAtomic(join(to, name), `${JSON.stringify(content, null, 2)}\n`);
  }
  return Object.keys(files);
}

/** The tokenizer, or null where it is absent or unknown: weights are of use without. */
function describe(metadata: Record<string, unknown>, path: string): TokenizerDescription | null {
  try {
    return describeGgufTokenizer(metadata, path);
  } catch (error) {
    if (error instanceof FileError) return null;
    throw error;
  }
}

/**
 * Gives the command that turns a model in another form into safetensors weights with a `tokenizer.json`.
 *
 * @param source Name on the hub, or folder.
 * @param target Folder to write.
 * @returns A line for a shell with Python and `transformers`.
 */
export function conversionCommand(source: string, target: string): string {
  const [from, to] = [source, target].map((text) => JSON.stringify(text).replaceAll("'", "'\\''"));
  const convert = (kind: string): string => `t.${kind}.from_pretrained(${from}).save_pretrained(${to})`;
  return `python3 -c 'import transformers as t; ${convert("AutoModelForCausalLM")}; ${convert("AutoTokenizer")}'`;
}

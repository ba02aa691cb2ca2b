/**
 * Functions that several shaders call, kept once in `kernels/shared/`. WGSL has no imports, so a shader names what it
 * calls in its header and the text is appended; its own lines keep their numbers.
 *
 * @module
 */
import attention_products from "./shared/attention_products.wgsl" with { type: "text" };
import block_products from "./shared/block_products.wgsl" with { type: "text" };
import broadcast_octets from "./shared/broadcast_octets.wgsl" with { type: "text" };
import broadcast_quads from "./shared/broadcast_quads.wgsl" with { type: "text" };
import decode from "./shared/decode.wgsl" with { type: "text" };
import decode_octet from "./shared/decode_octet.wgsl" with { type: "text" };
import exp_below from "./shared/exp_below.wgsl" with { type: "text" };
import exp_sum from "./shared/exp_sum.wgsl" with { type: "text" };
import gelu_cdf from "./shared/gelu_cdf.wgsl" with { type: "text" };
import head_gradients from "./shared/head_gradients.wgsl" with { type: "text" };
import head_quad from "./shared/head_quad.wgsl" with { type: "text" };
import head_scores from "./shared/head_scores.wgsl" with { type: "text" };
import head_shares from "./shared/head_shares.wgsl" with { type: "text" };
import head_values from "./shared/head_values.wgsl" with { type: "text" };
import kept_row from "./shared/kept_row.wgsl" with { type: "text" };
import matmul_bias from "./shared/matmul_bias.wgsl" with { type: "text" };
import matmul_layout from "./shared/matmul_layout.wgsl" with { type: "text" };
import matmul_params from "./shared/matmul_params.wgsl" with { type: "text" };
import matmul_rows from "./shared/matmul_rows.wgsl" with { type: "text" };
import matmul_steps from "./shared/matmul_steps.wgsl" with { type: "text" };
import matmul_store from "./shared/matmul_store.wgsl" with { type: "text" };
import matrix_block from "./shared/matrix_block.wgsl" with { type: "text" };
import matrix_element from "./shared/matrix_element.wgsl" with { type: "text" };
import matrix_octet from "./shared/matrix_octet.wgsl" with { type: "text" };
import matrix_quad from "./shared/matrix_quad.wgsl" with { type: "text" };
import matvec_store from "./shared/matvec_store.wgsl" with { type: "text" };
import octet from "./shared/octet.wgsl" with { type: "text" };
import octet_wide from "./shared/octet_wide.wgsl" with { type: "text" };
import quad_operands from "./shared/quad_operands.wgsl" with { type: "text" };
import row_max from "./shared/row_max.wgsl" with { type: "text" };
import row_octets from "./shared/row_octets.wgsl" with { type: "text" };
import row_sum from "./shared/row_sum.wgsl" with { type: "text" };
import running_log_sum from "./shared/running_log_sum.wgsl" with { type: "text" };
import sigmoid from "./shared/sigmoid.wgsl" with { type: "text" };
import tile_products from "./shared/tile_products.wgsl" with { type: "text" };
import weight_at from "./shared/weight_at.wgsl" with { type: "text" };
import weight_octet from "./shared/weight_octet.wgsl" with { type: "text" };

const SHARED: ReadonlyMap<string, string> = new Map(Object.entries({
  attention_products,
  block_products,
  broadcast_octets,
  broadcast_quads,
  decode,
  decode_octet,
  exp_below,
  exp_sum,
  gelu_cdf,
  head_gradients,
  head_quad,
  head_scores,
  head_shares,
  head_values,
  kept_row,
  matmul_bias,
  matmul_layout,
  matmul_params,
  matmul_rows,
  matmul_steps,
  matmul_store,
  matrix_block,
  matrix_element,
  matrix_octet,
  matrix_quad,
  matvec_store,
  octet,
  octet_wide,
  quad_operands,
  row_max,
  row_octets,
  row_sum,
  running_log_sum,
  sigmoid,
  tile_products,
  weight_at,
  weight_octet,
}));

/** Names in the line `// calls ...` of a header. */
export function callsOf(code: string): string[] {
  return /^\/\/ calls +(.+)$/m.exec(code)?.[1]?.split(", ") ?? [];
}

/**
 * Appends to a shader the shared functions that its header names, and those that they name in turn, each once.
 *
 * @param wide Whether octets are loaded and stored by 64-bit words.
 * @throws {TypeError} If a name is not in `kernels/shared/`.
 */
export function link(code: string, { wide = false } = {}): string {
  const names = new Set<string>(callsOf(code));
  for (const name of names) {
    const text = SHARED.get(name);
    if (text === undefined) {
      throw new TypeError(
        `Cannot link a shader: it calls "${name}", wanted one of ${[...SHARED.keys()].join(", ")}. ` +
          `Correct the line "// calls" of its header, or add the file to kernels/shared and kernels/link.ts`,
      );
    }
    for (const next of callsOf(text)) names.add(next);
  }
  const texts = [...names].map((name) => SHARED.get(wide && name === "octet" ? "octet_wide" : name)!);
  return [code, ...texts].join("\n");
}

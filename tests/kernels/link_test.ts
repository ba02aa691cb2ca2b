import { assertEquals, assertThrows } from "@std/assert";
import { callsOf, link } from "../../kernels/link.ts";

Deno.test("link() appends what a shader calls, and what that calls, each once and behind the shader's own lines", () => {
  const code = "// x: y.\n// calls     weight_at, decode\nfn main() {}\n";
  const linked = link(code);
  assertEquals(linked.slice(0, code.length), code);
  for (const name of ["weightAt", "decode"]) assertEquals(linked.split(`fn ${name}(`).length - 1, 1);
  assertEquals(callsOf(code), ["weight_at", "decode"]);
});

Deno.test("link() leaves a shader alone that calls nothing shared", () => {
  assertEquals(link("// x: y.\nfn main() {}\n"), "// x: y.\nfn main() {}\n");
});

Deno.test("link() refuses a name that is not shared, and says which are", () => {
  assertThrows(
    () => link("// calls     nothing_such\n"),
    TypeError,
    'Cannot link a shader: it calls "nothing_such", wanted one of attention_products, block_products, broadcast_octets,',
  );
});

Deno.test("link() takes octets by 64-bit words where asked", () => {
  const code = "// calls     octet\n";
  assertEquals([link(code), link(code, { wide: true })].map((text) => text.includes("alias Octet = vec4<u64>;")), [
    false,
    true,
  ]);
});

// head_quad: four elements of a head at a time.
//
// needs     params.dHead

override ALIGNED: bool = false; // dHead is a multiple of 4

fn quadsPerHead() -> u32 { return (params.dHead + 3u) / 4u; }

// Elements 4 c to 4 c + 3 of a head that begins at element `at`, zero past its end, of the two fours that hold them.
fn headQuad(low: vec4f, high: vec4f, at: u32, c: u32) -> vec4f {
  let odd = (at & 1u) == 1u;
  let one = select(low, vec4f(low.yzw, high.x), odd);
  let next = select(high.xy, high.yz, odd);
  let quad = select(one, vec4f(one.zw, next), (at & 2u) == 2u);
  return select(vec4f(0.0), quad, vec4u(0u, 1u, 2u, 3u) + 4u * c < vec4u(params.dHead));
}

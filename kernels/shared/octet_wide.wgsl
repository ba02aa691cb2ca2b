// octet_wide: octet by words of 64 bits. Mesa's CPU driver loads word by word and lane by lane, so half as many words
// take little more than half the time.
//
// needs     64-bit integers

struct Words { first: vec4u, second: vec4u }
alias Octet = vec4<u64>;
alias HalfOctet = vec2<u64>;

fn octetWords(stored: Octet) -> Words {
  let even = vec4u(stored);
  let odd = vec4u(stored >> vec4u(32u));
  return Words(vec4u(even.x, odd.x, even.y, odd.y), vec4u(even.z, odd.z, even.w, odd.w));
}

// Four words: four f32, or eight elements of a half type.
fn halfWords(stored: HalfOctet) -> vec4u {
  let even = vec2u(stored);
  let odd = vec2u(stored >> vec2u(32u));
  return vec4u(even.x, odd.x, even.y, odd.y);
}

// Elements 0 to 3 and 4 to 7 as f32.
fn fromOctet(stored: Octet) -> mat2x4f {
  let words = octetWords(stored);
  return mat2x4f(bitcast<vec4f>(words.first), bitcast<vec4f>(words.second));
}

fn toOctet(values: mat2x4f) -> Octet {
  let even = bitcast<vec4u>(vec4f(values[0].xz, values[1].xz));
  let odd = bitcast<vec4u>(vec4f(values[0].yw, values[1].yw));
  return vec4<u64>(even) | (vec4<u64>(odd) << vec4u(32u));
}

// octet: eight words of 32 bits in one load: eight f32, or sixteen elements of a half type.
//
// needs     nothing

struct Words { first: vec4u, second: vec4u }
alias Octet = Words;
alias HalfOctet = vec4u;

fn octetWords(stored: Octet) -> Words { return stored; }

// Four words: four f32, or eight elements of a half type.
fn halfWords(stored: HalfOctet) -> vec4u { return stored; }

// Elements 0 to 3 and 4 to 7 as f32.
fn fromOctet(stored: Octet) -> mat2x4f { return mat2x4f(bitcast<vec4f>(stored.first), bitcast<vec4f>(stored.second)); }

fn toOctet(values: mat2x4f) -> Octet { return Octet(bitcast<vec4u>(values[0]), bitcast<vec4u>(values[1])); }

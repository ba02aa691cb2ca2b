// matmul_element: element of b.
//
// needs     b: array<u32>, B_TYPE
// calls     decode

fn bAt(i: u32) -> f32 { return decode(b[select(i, i >> 1u, B_TYPE != 0u)], i, B_TYPE); }

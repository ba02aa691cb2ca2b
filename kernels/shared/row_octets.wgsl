// row_octets: where four rows stand that a subgroup computes together.
//
// needs     params.rows, params.width

// First octet of each of four rows; past the last row they repeat it, and write what it holds once more.
fn rowStarts(group: vec3u, groups: vec3u) -> vec4u {
  let first = 4u * (group.y * groups.x + group.x);
  return min(first + vec4u(0u, 1u, 2u, 3u), vec4u(params.rows - 1u)) * (params.width / 8u);
}

// attention_products: products of a lane's quad with those of all 8 lanes.
//
// needs     subgroups of 8 lanes

// Products of this lane's quad with the quads of lanes 0 to 3, and with those of lanes 4 to 7.
fn productsA(x: vec4f, own: vec4f) -> vec4f {
  return vec4f(dot(subgroupBroadcast(x, 0u), own), dot(subgroupBroadcast(x, 1u), own),
               dot(subgroupBroadcast(x, 2u), own), dot(subgroupBroadcast(x, 3u), own));
}

fn productsB(x: vec4f, own: vec4f) -> vec4f {
  return vec4f(dot(subgroupBroadcast(x, 4u), own), dot(subgroupBroadcast(x, 5u), own),
               dot(subgroupBroadcast(x, 6u), own), dot(subgroupBroadcast(x, 7u), own));
}

// quad_operands: operands of a product, loaded by elements, pairs and fours. A binding has one type, so each is bound
// once a type.
//
// needs     nothing

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> aQuads: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read> bPairs: array<vec2u>;
@group(0) @binding(4) var<storage, read> bQuads: array<vec4u>;
@group(0) @binding(5) var<storage, read> bias: array<u32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

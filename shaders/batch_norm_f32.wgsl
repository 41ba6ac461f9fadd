// use lib/grid.wgsl
// use lib/batch_norm.wgsl
//
// out = clamp((x − centre) · factor + bias, low, high), channel by channel    docs/quantization.md (70)
//
// Channels lie last; facts are of lib/batch_norm.wgsl. An invocation owns one word. NaN stays NaN: no clamp hides it,
// since bits decide.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32, // words of x
  words: u32, // of a row: channels / 4
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (rows, words)
@group(0) @binding(2) var<storage, read> facts: array<vec4f>;     // (words, FACTS)
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (rows, words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let at = (index % params.words) * FACTS;
  let y = (x[index] - facts[at]) * facts[at + 1u] + facts[at + 2u];
  let isNan = (bitcast<vec4u>(y) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  out[index] = select(clamp(y, vec4f(params.low), vec4f(params.high)), y, isNan);
}

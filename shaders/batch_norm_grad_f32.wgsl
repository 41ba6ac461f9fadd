// use lib/grid.wgsl
// use lib/batch_norm.wgsl
//
// out = factor · (g − shares₀ − (x − centre) · shares₁), g = dY where low < y < high, else 0
//                                                                               docs/quantization.md (71)
//
// shares are what every element of a channel has of the gradients by mean and variance:
// batch_norm_parameters_grad_f32. An invocation owns one word.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32, // words of x
  words: u32, // of a row: channels / 4
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;  // (rows, words)
@group(0) @binding(2) var<storage, read> x: array<vec4f>;         // (rows, words)
@group(0) @binding(3) var<storage, read> facts: array<vec4f>;     // (words, FACTS)
@group(0) @binding(4) var<storage, read> shares: array<vec4f>;    // (words, 2)
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>; // (rows, words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let word = index % params.words;
  let at = word * FACTS;
  let d = x[index] - facts[at];
  let y = d * facts[at + 1u] + facts[at + 2u];
  let g = select(vec4f(0), gradient[index], (y > vec4f(params.low)) & (y < vec4f(params.high)));
  out[index] = facts[at + 1u] * (g - shares[word * 2u] - d * shares[word * 2u + 1u]);
}

// use lib/grid.wgsl
// use lib/batch_norm.wgsl
//
// out = the facts of lib/batch_norm.wgsl, of statistics that are there already. An invocation owns one word.

override WORKGROUP: u32 = 64;

struct Params {
  words: u32, // channels / 4
  last: u32,  // channels
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> scale: array<vec4f>;     // (words)
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;      // (words)
@group(0) @binding(3) var<storage, read> mean: array<vec4f>;      // (words)
@group(0) @binding(4) var<storage, read> variance: array<vec4f>;  // (words)
@group(0) @binding(5) var<storage, read> divisor: array<vec4f>;   // (words)
@group(0) @binding(6) var<storage, read_write> out: array<vec4f>; // (words, FACTS)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let word = flatIndex(id, groups, WORKGROUP);
  if (word >= params.words) { return; }
  let real = realLanes(word, params.last);
  let facts = factsOf(scale[word], bias[word], mean[word], variance[word], divisor[word], params.epsilon, real);
  let at = word * FACTS;
  out[at] = facts.centre;
  out[at + 1u] = facts.factor;
  out[at + 2u] = facts.bias;
  out[at + 3u] = facts.inverse;
  out[at + 4u] = facts.steps;
}

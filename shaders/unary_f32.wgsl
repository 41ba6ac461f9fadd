// use lib/grid.wgsl
//
// out = f(x), element by element. OP chooses f: 0 clip, 1 leaky relu, 2 sigmoid, 3 hard sigmoid,
// 4 hard swish, 5 tanh.
//
// Layout does not matter: an invocation owns one word, padding lanes included (f(0) is finite).

override WORKGROUP: u32 = 64;
override OP: u32 = 0;

struct Params {
  count: u32, // words
  a: f32,     // clip: low;  leaky relu, hard sigmoid: alpha
  b: f32,     // clip: high; hard sigmoid: beta
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;         // (count)
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>; // (count)

fn hardSigmoid(v: vec4f, alpha: f32, beta: f32) -> vec4f {
  return clamp(v * alpha + beta, vec4f(0), vec4f(1));
}

fn apply(v: vec4f) -> vec4f {
  switch OP {
    case 0u: { return clamp(v, vec4f(params.a), vec4f(params.b)); }
    case 1u: { return select(v * params.a, v, v >= vec4f(0)); }
    case 2u: { return 1.0 / (1.0 + exp(-v)); }
    case 3u: { return hardSigmoid(v, params.a, params.b); }
    case 4u: { return v * hardSigmoid(v, 1.0 / 6.0, 0.5); }
    default: { return tanh(clamp(v, vec4f(-20), vec4f(20))); } // tanh(20) is 1 in f32; some drivers overflow past it
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  out[index] = apply(x[index]);
}

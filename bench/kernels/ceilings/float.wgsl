// The rate of float multiply-adds: chains that depend on nothing but themselves, with no memory in the
// loop. Which shape is fastest differs by adapter, so there are several; the best is the ceiling.
//
// x ← x · a + b, `steps` times, for as many x as the entry point's name says. |a| < 1 keeps x finite.

override WORKGROUP: u32 = 64;

struct Params {
  steps: u32,
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // one an invocation

fn start(id: u32, lane: f32) -> vec4f {
  return vec4f(f32(id & 255u) + lane) * vec4f(0.5, 0.25, 0.125, 0.0625);
}

// 1 × 4 × 4 = 16 multiply-adds a step
@compute @workgroup_size(WORKGROUP)
fn vectors4(@builtin(global_invocation_id) id: vec3u) {
  let a = vec4f(params.a, params.a * 0.5, params.a * 0.25, params.b);
  let b = vec4f(params.b);
  var x0 = start(id.x, 0.0);
  var x1 = start(id.x, 1.0);
  var x2 = start(id.x, 2.0);
  var x3 = start(id.x, 3.0);
  for (var step = 0u; step < params.steps; step++) {
    x0 = fma(x0, a, b);
    x1 = fma(x1, a, b);
    x2 = fma(x2, a, b);
    x3 = fma(x3, a, b);
  }
  out[id.x] = dot(x0 + x1 + x2 + x3, vec4f(1.0));
}

// 8 × 4 = 32 multiply-adds a step, written as x · a + b
@compute @workgroup_size(WORKGROUP)
fn vectors8(@builtin(global_invocation_id) id: vec3u) {
  let a = vec4f(params.a, params.a * 0.5, params.a * 0.25, params.b);
  let b = vec4f(params.b);
  var x0 = start(id.x, 0.0);
  var x1 = start(id.x, 1.0);
  var x2 = start(id.x, 2.0);
  var x3 = start(id.x, 3.0);
  var x4 = start(id.x, 4.0);
  var x5 = start(id.x, 5.0);
  var x6 = start(id.x, 6.0);
  var x7 = start(id.x, 7.0);
  for (var step = 0u; step < params.steps; step++) {
    x0 = x0 * a + b;
    x1 = x1 * a + b;
    x2 = x2 * a + b;
    x3 = x3 * a + b;
    x4 = x4 * a + b;
    x5 = x5 * a + b;
    x6 = x6 * a + b;
    x7 = x7 * a + b;
  }
  out[id.x] = dot(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7, vec4f(1.0));
}

// 2 × 64 = 128 multiply-adds a step: products of a 4 × 4 matrix, as a matrix kernel has them. Its columns
// sum to 1, so that x neither grows nor fades into subnormal numbers.
@compute @workgroup_size(WORKGROUP)
fn matrices(@builtin(global_invocation_id) id: vec3u) {
  let a = mat4x4f(
    vec4f(params.a, 0.02, 0.03, params.b),
    vec4f(0.03, params.a, params.b, 0.02),
    vec4f(params.b, 0.02, params.a, 0.03),
    vec4f(0.02, params.b, 0.03, params.a));
  var x = mat4x4f(start(id.x, 0.0), start(id.x, 1.0), start(id.x, 2.0), start(id.x, 3.0));
  var y = mat4x4f(start(id.x, 4.0), start(id.x, 5.0), start(id.x, 6.0), start(id.x, 7.0));
  for (var step = 0u; step < params.steps; step++) {
    x = a * x;
    y = a * y;
  }
  let z = x + y;
  out[id.x] = dot(z[0] + z[1] + z[2] + z[3], vec4f(1.0));
}

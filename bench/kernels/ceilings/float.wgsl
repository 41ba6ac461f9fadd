// The rate of float multiply-adds: chains that depend on nothing but themselves, with no memory in the
// loop. Which shape is fastest differs by adapter, so there are several; the best is the ceiling.
//
// vectors: x ← x · a + b, `steps` times, for as many x as the entry point's name says; |a| < 1 keeps x finite. rows and
// matrices: products of matrices, as they say.

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

fn chain(sum: f32, x: mat4x4f, f: mat4x4f) -> f32 {
  return sum
    + x[0].x * f[0].x + x[0].y * f[0].y + x[0].z * f[0].z + x[0].w * f[0].w
    + x[1].x * f[1].x + x[1].y * f[1].y + x[1].z * f[1].z + x[1].w * f[1].w
    + x[2].x * f[2].x + x[2].y * f[2].y + x[2].z * f[2].z + x[2].w * f[2].w
    + x[3].x * f[3].x + x[3].y * f[3].y + x[3].z * f[3].z + x[3].w * f[3].w;
}

// Sixteen values of which no two products are the same.
fn row(id: u32, lane: f32) -> mat4x4f {
  return mat4x4f(start(id, lane), start(id, lane + 0.25), start(id, lane + 0.5), start(id, lane + 0.75));
}

// 8 · 4 · 16 = 512 multiply-adds a step: rows of 16 values met by 4 columns, each sum's 16 in one chain that nothing
// interrupts, as in the innermost block of a product whose operands have all been loaded. The columns change a little
// at each step, so that no compiler takes the products out of the loop.
@compute @workgroup_size(WORKGROUP)
fn rows(@builtin(global_invocation_id) id: vec3u) {
  let x0 = row(id.x, 0.0);
  let x1 = row(id.x, 1.0);
  let x2 = row(id.x, 2.0);
  let x3 = row(id.x, 3.0);
  let x4 = row(id.x, 4.0);
  let x5 = row(id.x, 5.0);
  let x6 = row(id.x, 6.0);
  let x7 = row(id.x, 7.0);
  let g0 = row(id.x, 8.0);
  let g1 = row(id.x, 9.0);
  let g2 = row(id.x, 10.0);
  let g3 = row(id.x, 11.0);
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();
  for (var step = 0u; step < params.steps; step++) {
    let change = f32(step) * params.b;
    let f0 = mat4x4f(g0[0] + change, g0[1] + change, g0[2] + change, g0[3] + change);
    let f1 = mat4x4f(g1[0] + change, g1[1] + change, g1[2] + change, g1[3] + change);
    let f2 = mat4x4f(g2[0] + change, g2[1] + change, g2[2] + change, g2[3] + change);
    let f3 = mat4x4f(g3[0] + change, g3[1] + change, g3[2] + change, g3[3] + change);
    s0.x = chain(s0.x, x0, f0);
    s1.x = chain(s1.x, x1, f0);
    s2.x = chain(s2.x, x2, f0);
    s3.x = chain(s3.x, x3, f0);
    s4.x = chain(s4.x, x4, f0);
    s5.x = chain(s5.x, x5, f0);
    s6.x = chain(s6.x, x6, f0);
    s7.x = chain(s7.x, x7, f0);
    s0.y = chain(s0.y, x0, f1);
    s1.y = chain(s1.y, x1, f1);
    s2.y = chain(s2.y, x2, f1);
    s3.y = chain(s3.y, x3, f1);
    s4.y = chain(s4.y, x4, f1);
    s5.y = chain(s5.y, x5, f1);
    s6.y = chain(s6.y, x6, f1);
    s7.y = chain(s7.y, x7, f1);
    s0.z = chain(s0.z, x0, f2);
    s1.z = chain(s1.z, x1, f2);
    s2.z = chain(s2.z, x2, f2);
    s3.z = chain(s3.z, x3, f2);
    s4.z = chain(s4.z, x4, f2);
    s5.z = chain(s5.z, x5, f2);
    s6.z = chain(s6.z, x6, f2);
    s7.z = chain(s7.z, x7, f2);
    s0.w = chain(s0.w, x0, f3);
    s1.w = chain(s1.w, x1, f3);
    s2.w = chain(s2.w, x2, f3);
    s3.w = chain(s3.w, x3, f3);
    s4.w = chain(s4.w, x4, f3);
    s5.w = chain(s5.w, x5, f3);
    s6.w = chain(s6.w, x6, f3);
    s7.w = chain(s7.w, x7, f3);
  }
  out[id.x] = dot(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7, vec4f(1.0));
}

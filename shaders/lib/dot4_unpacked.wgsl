// dot4.wgsl's functions for devices where packed_4x8_integer_dot_product is missing or emulated: the
// same integers. Lanes are unpacked once for all the products they meet, and multiplied in float, which
// holds sums of int8 products exactly up to 2²⁴: callers take a total() before they can pass that.
// A lane moves to the top byte by a multiplication, where masking keeps its sign, and stays there: float
// holds n · 2²⁴ as well as n. Software adapters shift lane by lane, but multiply all lanes at once.
alias Taken = vec4f;
alias Patch = mat4x4f; // column = input lane, row = output lane
alias Sums = vec4f;    // times 2⁴⁸

const TOP = 0xff000000u;

fn take(word: u32) -> Taken {
  return vec4f(bitcast<vec4i>((word * vec4u(0x1000000u, 0x10000u, 0x100u, 1u)) & vec4u(TOP)));
}

fn patchOf(f: vec4u) -> Patch {
  return mat4x4f(
    vec4f(bitcast<vec4i>(f * 0x1000000u)),
    vec4f(bitcast<vec4i>((f * 0x10000u) & vec4u(TOP))),
    vec4f(bitcast<vec4i>((f * 0x100u) & vec4u(TOP))),
    vec4f(bitcast<vec4i>(f & vec4u(TOP))));
}

fn lanes(word: u32) -> vec4i {
  return vec4i(take(word) * 0x1p-24f);
}

fn addDots(sums: Sums, f: Patch, x: Taken) -> Sums {
  return sums + f * x;
}

fn addDot(sum: f32, f: Taken, x: Taken) -> f32 {
  return sum + x.x * f.x + x.y * f.y + x.z * f.z + x.w * f.w;
}

fn spread(word: u32) -> Sums {
  return take(word);
}

fn spreadLanes(v: vec4i) -> Sums {
  return vec4f(v) * 0x1p24f;
}

fn total(sums: Sums) -> vec4i {
  return vec4i(sums * 0x1p-48f);
}

fn realTotal(sums: Sums) -> vec4f {
  return sums * 0x1p-48f;
}

fn pack(q: vec4i) -> u32 {
  let b = bitcast<vec4u>(q) & vec4u(255u);
  return b.x + b.y * 0x100u + b.z * 0x10000u + b.w * 0x1000000u;
}

// Walks the elements that one word of the result is made of: `params` has the reduced axes' sizes r0 … r3
// (innermost r3) and strides in words s0 … s3; lib/kept.wgsl walks the others.
fn reducedOffset(index: u32) -> u32 {
  var rest = index;
  let c3 = rest % params.r3;
  rest = rest / params.r3;
  let c2 = rest % params.r2;
  rest = rest / params.r2;
  let c1 = rest % params.r1;
  let c0 = rest / params.r1;
  return c0 * params.s0 + c1 * params.s1 + c2 * params.s2 + c3 * params.s3;
}

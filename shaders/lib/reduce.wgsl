// Walks the elements that one reduced output word sums: `params` has the reduced axes' sizes r0 … r3
// (innermost r3) and strides in words s0 … s3, and the kept axes' sizes k1 … k4 with strides t0 … t4.
fn keptOffset(index: u32) -> u32 {
  var rest = index;
  let c4 = rest % params.k4;
  rest = rest / params.k4;
  let c3 = rest % params.k3;
  rest = rest / params.k3;
  let c2 = rest % params.k2;
  rest = rest / params.k2;
  let c1 = rest % params.k1;
  let c0 = rest / params.k1;
  return c0 * params.t0 + c1 * params.t1 + c2 * params.t2 + c3 * params.t3 + c4 * params.t4;
}

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

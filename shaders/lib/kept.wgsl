// Where the elements of one word of a reduced result begin: `params` has the kept axes' sizes k1 … k4 and
// strides in words t0 … t4, innermost k4.
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

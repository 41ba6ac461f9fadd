// Word offsets of two broadcast operands: the out word's coordinates along six physical axes, each
// times the operand's stride in words, 0 along axes that it repeats. Needs `params` with the fields
// dim0 … dim5, a0 … a5, b0 … b5; axis 5 counts words of the last physical axis.
fn broadcastOffsets(index: u32) -> vec2u {
  var rest = index;
  let c5 = rest % params.dim5;
  rest = rest / params.dim5;
  let c4 = rest % params.dim4;
  rest = rest / params.dim4;
  let c3 = rest % params.dim3;
  rest = rest / params.dim3;
  let c2 = rest % params.dim2;
  rest = rest / params.dim2;
  let c1 = rest % params.dim1;
  let c0 = rest / params.dim1;
  return vec2u(
    c0 * params.a0 + c1 * params.a1 + c2 * params.a2 + c3 * params.a3 + c4 * params.a4 + c5 * params.a5,
    c0 * params.b0 + c1 * params.b1 + c2 * params.b2 + c3 * params.b3 + c4 * params.b4 + c5 * params.b5);
}

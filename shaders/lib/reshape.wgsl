// Where an element of out comes from when only the shape changes: its row-major position among the
// logical axes of out is taken apart along the logical axes of x. Needs `params` with dim 1 … 5 and
// weight 0 … 5 (out: physical sizes, row-major weights) and size 1 … 5, stride 0 … 5 (x: logical
// sizes, strides in elements of its layout).
fn rowMajorOf(index: u32) -> u32 {
  var rest = index / (params.dim5 / 4u);
  var position = (rest % params.dim4) * params.weight4;
  rest = rest / params.dim4;
  position += (rest % params.dim3) * params.weight3;
  rest = rest / params.dim3;
  position += (rest % params.dim2) * params.weight2;
  rest = rest / params.dim2;
  position += (rest % params.dim1) * params.weight1;
  return position + (rest / params.dim1) * params.weight0;
}

fn elementOf(rowMajor: u32) -> u32 {
  var rest = rowMajor;
  var offset = (rest % params.size5) * params.stride5;
  rest = rest / params.size5;
  offset += (rest % params.size4) * params.stride4;
  rest = rest / params.size4;
  offset += (rest % params.size3) * params.stride3;
  rest = rest / params.size3;
  offset += (rest % params.size2) * params.stride2;
  rest = rest / params.size2;
  offset += (rest % params.size1) * params.stride1;
  return offset + (rest / params.size1) * params.stride0;
}

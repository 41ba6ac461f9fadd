// The row-major position of the first element of word `index` of a tensor that lies in its layout, its last
// physical axis at 0 … Needs `params` with dim 1 … 5, its physical sizes, and weight 0 … 4.
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

// Where an element of out comes from along the gathered axis: out is (outer, picked, inner) in row-major
// order and x (outer, size, inner), both dense. An index out of range is clamped, and least and greatest of
// all such go to the slot. Needs `params` with picked, size, inner, dim 1 … 5, weight 0 … 5, and the
// bindings indices and slot.
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

fn pickedFrom(position: u32) -> u32 {
  let i = position % params.inner;
  let rest = position / params.inner;
  let wanted = indices[rest % params.picked];
  let size = i32(params.size);
  if (wanted < -size || wanted >= size) {
    atomicMin(&slot[0], wanted);
    atomicMax(&slot[1], wanted);
  }
  let at = clamp(select(wanted, wanted + size, wanted < 0), 0, size - 1);
  return ((rest / params.picked) * params.size + u32(at)) * params.inner + i;
}

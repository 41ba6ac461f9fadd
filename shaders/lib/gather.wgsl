// Where an element of out comes from along the gathered axis: out is (outer, picked, inner) in row-major
// order and x (outer, size, inner), both dense. An index out of range is clamped, and least and greatest of
// all such go to the slot. Needs `params` with picked, size and inner, and the bindings indices and slot.
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

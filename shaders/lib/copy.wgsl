// Where an element of out comes from when elements only move: Slice, Transpose, Concat, Pad, Split.
// Along each physical axis of out, x fills coordinates origin … origin + extent − 1 with a stride of
// its own. Needs `params` with count, base, last and dim/origin/extent/stride 0 … 5.
struct Source {
  offset: i32, // element of x
  inside: bool,
}

fn axisStep(coordinate: u32, origin: i32, extent: i32, stride: i32, source: Source) -> Source {
  let c = i32(coordinate) - origin;
  return Source(source.offset + c * stride, source.inside && c >= 0 && c < extent);
}

// The first five axes of the word at `index`; axis 5 is the lanes' own.
fn sourceOf(index: u32) -> Source {
  var rest = index / (params.dim5 / 4u);
  var s = Source(params.base, true);
  s = axisStep(rest % params.dim4, params.origin4, params.extent4, params.stride4, s);
  rest = rest / params.dim4;
  s = axisStep(rest % params.dim3, params.origin3, params.extent3, params.stride3, s);
  rest = rest / params.dim3;
  s = axisStep(rest % params.dim2, params.origin2, params.extent2, params.stride2, s);
  rest = rest / params.dim2;
  s = axisStep(rest % params.dim1, params.origin1, params.extent1, params.stride1, s);
  rest = rest / params.dim1;
  return axisStep(rest, params.origin0, params.extent0, params.stride0, s);
}

fn laneSource(s: Source, lane: u32) -> Source {
  return axisStep(lane, params.origin5, params.extent5, params.stride5, s);
}

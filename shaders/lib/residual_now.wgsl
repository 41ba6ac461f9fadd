// A residual that is added in registers, before anything is stored. Needs lib/residual.wgsl, lib/dot4.wgsl and the binding
// `residual`.
override RESIDUAL: bool = false; // else residual is not read

fn withResidual(q: vec4i, at: u32) -> vec4i {
  if (!RESIDUAL) { return q; }
  return addResidual(q, lanes(residual[at]));
}

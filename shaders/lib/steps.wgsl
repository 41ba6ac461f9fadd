// rint(fl(x · r)): how many steps of the scale x lies from the zero point, before any clamp. round()
// breaks ties to even.                                                      docs/quantization.md (2)
fn stepsOf(x: vec4f, reciprocal: vec4f) -> vec4f {
  return round(x * reciprocal);
}

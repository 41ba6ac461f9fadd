// The quantized addition of docs/quantization.md (37), after a convolution's own rounding:
// needs `params` with sumMultiplier, residualMultiplier, residualZero, shift, zeroPoint (of the
// convolution), outZero, outLow and outHigh.
fn addResidual(q: vec4i, other: vec4i) -> vec4i {
  let sum = (q - params.zeroPoint) * params.sumMultiplier + (other - params.residualZero) * params.residualMultiplier;
  let y = roundShiftEven(sum, params.shift) + params.outZero;
  return clamp(y, vec4i(params.outLow), vec4i(params.outHigh));
}

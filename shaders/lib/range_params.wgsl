// Scale and zero point of a range: docs/quantization.md (9); SYMMETRIC (10); FUSED (14), as PyTorch's fused
// training op. Needs lib/divide.wgsl, lib/double.wgsl, lib/choose_torch.wgsl, and `params` with qmin, qmax, eps, and
// zeroPoint, that of a symmetric range.
override SYMMETRIC: bool = false;
override FUSED: bool = false;

struct Chosen {
  scale: f32,
  zeroPoint: f32,
}

fn chooseFused(low: f32, high: f32) -> Chosen {
  let levels = params.qmax - params.qmin;
  var lo = low;
  var hi = high;
  let isWide = SYMMETRIC && low < 0.0 && high > 0.0;
  if (isWide) { // to steps of the greater side
    let half = floor(levels * 0.5);
    let step = max(divide(-low, half + 1.0), divide(high, half));
    lo = -(step * (half + 1.0));
    hi = step * half;
  }
  let chosen = chooseTorch(bitcast<u32>(lo), bitcast<u32>(hi), u32(levels));
  return Chosen(bitcast<f32>(chosen.x), select(f32(chosen.y) + params.qmin, params.zeroPoint, isWide));
}

fn chooseParams(least: f32, greatest: f32) -> Chosen {
  let low = min(least, 0.0); // (8): 0 must be a value of q
  let high = max(greatest, 0.0);
  if (FUSED) { return chooseFused(low, high); }
  let levels = params.qmax - params.qmin;
  if (SYMMETRIC) {
    return Chosen(max(divide(max(-low, high), levels * 0.5), params.eps), params.zeroPoint);
  }
  let scale = max(divide(high - low, levels), params.eps);
  return Chosen(scale, clamp(params.qmin + round(divide(-low, scale)), params.qmin, params.qmax));
}

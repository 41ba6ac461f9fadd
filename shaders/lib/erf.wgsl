// erf, and the Gelu that needs it, within 3e-7 of their real values (relative to 1 and to max(1, |x|)): WGSL has
// no erf. Up to 1, erf x = x · P(x²); beyond, 1 − erfc a with erfc a = e^(−a²) · t · Q(t), t = 1 / (1 + a / 2),
// where exp's error counts at most 0.16. P and Q interpolate at Chebyshev's points: 1.3e-9 and 7e-9 off.

/** erf(x) / x of s = x², s in [0, 1]. */
fn erfSeries(s: vec4f) -> vec4f {
  return (((((7.8758751e-5 * s - 8.01686429e-4) * s + 5.18908742e-3) * s - 2.6854212e-2) * s
    + 0.112835947) * s - 0.376126267) * s + 1.12837917;
}

/** erfc(a), a in [1, 10]. */
fn erfcTail(a: vec4f) -> vec4f {
  let t = 1.0 / (1.0 + 0.5 * a);
  let q = ((((((9.34273107e-2 * t - 0.226053446) * t + 8.21762159e-2) * t + 6.12105563e-2) * t
    + 0.178692794) * t + 0.246985315) * t + 0.282036747) * t + 0.282098563;
  return exp(-a * a) * (t * q);
}

fn erf(x: vec4f) -> vec4f {
  let a = abs(x);
  let near = min(a, vec4f(1));
  let far = clamp(a, vec4f(1), vec4f(4)); // erf 4 is 1 in f32
  let size = select(1.0 - erfcTail(far), near * erfSeries(near * near), a < vec4f(1));
  return select(-size, size, x >= vec4f(0));
}

/** x · Φ(x) = ½ x (1 + erf(x / √2)); beyond √2 as max(x, 0) − ½ |x| erfc(|x| / √2), so that nothing cancels. */
fn gelu(x: vec4f) -> vec4f {
  let z = x * 0.70710678;
  let near = clamp(z, vec4f(-1), vec4f(1));
  let center = 0.5 * x * (1.0 + near * erfSeries(near * near));
  let tail = max(x, vec4f(0)) - 0.5 * min(abs(x), vec4f(20)) * erfcTail(clamp(abs(z), vec4f(1), vec4f(10)));
  return select(tail, center, abs(z) < vec4f(1));
}

/** The approximation ½ x (1 + tanh u), u = √(2/π) (x + 0.044715 x³), as x / (1 + e^(−2u)): WGSL's tanh may be
 *  1e-5 off. */
fn geluTanh(x: vec4f) -> vec4f {
  let c = clamp(x, vec4f(-20), vec4f(20)); // u alone; beyond, the exponential is 0 or its greatest
  let u = 0.79788456 * (c + 0.044715 * c * c * c);
  return max(x, vec4f(-20)) / (1.0 + exp(min(-2.0 * u, vec4f(80))));
}

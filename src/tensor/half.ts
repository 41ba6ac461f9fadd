// float16 ↔ float32. Every half is a float; a float becomes the nearest half, ties to even, as
// torch.Tensor.half() and ONNX Cast round it.

/** The greatest finite half. */
export const GREATEST_HALF = 65504;

/** The value of a half, given its 16 bits (IEEE 754 binary16). */
export function floatOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The 16 bits of the half nearest to `value`, an f32; ties go to even, and what rounds past 65,504 is ±∞. */
export function halfOfFloat(value: number): number {
  float[0] = value;
  const bits = word[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65,520 and more
  // Below 2⁻¹⁴ halves are multiples of 2⁻²⁴; 2²³ is 1 in the last place, so the sum rounds there.
  if (magnitude < 0x38800000) {
    float[0] = Math.abs(value) * 2 ** 24 + 2 ** 23;
    return sign | ((word[0] ?? 0) - 0x4b000000);
  }
  // 13 bits of the fraction go: add half of the last place, less one where the kept bit is even.
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
}

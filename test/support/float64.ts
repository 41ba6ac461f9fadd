// Imported before anything else, this makes the reference compute in float64: what looks like a
// Float32Array keeps f64, and rounding to f32 rounds nothing. Then central differences show whether
// a gradient is right, and not only how f32 rounds. Only tests that touch no device may use it:
// vitest gives every test file globals of its own.

globalThis.Float32Array = Float64Array as unknown as Float32ArrayConstructor;
Math.fround = (value) => value;

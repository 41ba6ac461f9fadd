// The safetensors room: bytes to tensors and back, plain or quantized.

export { SAFETENSORS_LIMITS, type SafetensorsLimits } from "./limits.ts";
export { stateDictOfTensors, tensorsOfStateDict } from "./quantized.ts";
export { countNonFinite, isSafetensors, readSafetensors, type Safetensors } from "./read.ts";
export { writeSafetensors } from "./write.ts";

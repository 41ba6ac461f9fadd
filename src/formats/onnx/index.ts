// The ONNX room: bytes to graph and back.

export { exportOnnx, type ExportOptions } from "./export.ts";
export {
  importOnnx,
  importSteps,
  type ImportProgress,
  inputShapes,
  type ImportOptions,
} from "./import.ts";
export { ONNX_LIMITS, type OnnxLimits } from "./limits.ts";

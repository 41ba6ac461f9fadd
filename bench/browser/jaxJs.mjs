// jax-js, bundled for the page where somebody has installed it (scripts/bench.mjs looks): it is no
// dependency, so nothing here is type-checked. peers/jaxJs.ts says what is used of it.

export { ONNXModel } from "@jax-js/onnx";
export { defaultDevice, init, jit, numpy } from "@jax-js/jax";

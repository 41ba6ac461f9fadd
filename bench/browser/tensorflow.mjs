// TensorFlow.js and its WebGPU backend, bundled for the page where somebody has installed them (scripts/peers.mjs
// looks): no dependency, so nothing here is type-checked. peers/tensorflow.ts says what is used.

import "@tensorflow/tfjs-backend-webgpu";

export * from "@tensorflow/tfjs";

// com.microsoft.MatMulNBits, ONNX Runtime's product by a weight of few bits: the weight lies in blocks along the sum,
// output channel by output channel. It becomes what opset 21 says with DequantizeLinear: a constant (K, N) with
// parameters per block of its rows, a Dequantize and a MatMul.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

import type { QParams } from "../../../graph/value.ts";
import { unpackNibbles } from "../../../tensor/nibbles.ts";
import { formatShape, sizeOf, tensor, toNumbers, type Tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";

export function MatMulNBits(call: Call): void {
  const bits = call.int("bits", 4);
  if (bits !== 4 && bits !== 8) return call.refuse(`${bits} bits are not supported; 4 and 8 are`);
  const [k, n] = [call.int("K", 0), call.int("N", 0)];
  const blockSize = call.int("block_size", 0);
  if (k < 1 || n < 1 || blockSize < 16) {
    return call.wrong(
      "K, N and block_size must be 1, 1 and 16 or more",
      `${k}, ${n}, ${blockSize}`,
    );
  }
  if (call.optional(4) !== undefined) call.refuse("g_idx, an order of rows, is not supported");
  const blocks = Math.ceil(k / blockSize);
  const quant = paramsOf(call, bits, n, blocks, blockSize);
  const weight = weightOf(call, bits, n, k, blocks * blockSize);
  const { scope } = call;
  const stored = scope.addQuantized(call.fresh(`${call.name}_weight`), weight, quant);
  const real = call.fresh(`${stored}_float`);
  const name = scope.nodeNames.fresh(`${call.name}_DequantizeLinear`);
  scope.emit({ op: "Dequantize", name, inputs: [stored], outputs: [real] }, { dtype: "float32" });
  const output = call.output();
  const bias = call.optional(5);
  const sum = bias === undefined ? output : call.fresh(`${output}_product`);
  scope.add({ op: "MatMul", name: call.name, inputs: [call.input(0), real], outputs: [sum] });
  if (bias === undefined) return;
  const add = { name: scope.nodeNames.fresh(`${call.name}_Add`), inputs: [sum, bias] };
  scope.add({ op: "Add", ...add, outputs: [output] });
}

/** Input `index`, of so many elements. */
function sized(call: Call, index: number, what: string, count: number, dtype: string): Tensor {
  const value = call.constant(index, what) ?? call.wrong(`${what} must be given`, "none");
  if (value.dtype !== dtype) return call.refuse(`${what} of dtype ${value.dtype}`);
  if (sizeOf(value.shape) === count) return value;
  return call.wrong(`${what} must have ${count} elements`, formatShape(value.shape));
}

/** B: (N, blocks, blockSize · bits / 8) bytes, codes without sign → (K, N). */
function weightOf(call: Call, bits: 4 | 8, n: number, k: number, padded: number): Tensor {
  const bytes = sized(call, 1, "B", (n * padded * bits) / 8, "uint8").data as Uint8Array;
  call.scope.charge(n * padded);
  const codes = bits === 4 ? unpackNibbles(bytes, n * padded, "uint4") : bytes;
  const weight = tensor(bits === 4 ? "uint4" : "uint8", [k, n]);
  for (let out = 0; out < n; out++) {
    for (let row = 0; row < k; row++) weight.data[row * n + out] = codes[out * padded + row] ?? 0;
  }
  return weight;
}

/** scales (N, blocks) and zero points, each channel's packed to whole bytes; 2 to the bits − 1 without any. */
function paramsOf(call: Call, bits: 4 | 8, n: number, blocks: number, blockSize: number): QParams {
  const scales = toNumbers(sized(call, 2, "scales", n * blocks, "float32"));
  const wrong = scales.find((value) => !(value > 0 && Number.isFinite(value)));
  if (wrong !== undefined) call.wrong("scales must be finite and positive", String(wrong));
  const row = Math.ceil((blocks * bits) / 8); // bytes
  const isGiven = call.optional(3) !== undefined;
  const packed = isGiven
    ? (sized(call, 3, "zero_points", n * row, "uint8").data as Uint8Array)
    : undefined;
  const zeroOf = (out: number, block: number): number => {
    if (packed === undefined) return 2 ** (bits - 1);
    if (bits === 8) return packed[out * row + block] ?? 0;
    return ((packed[out * row + (block >> 1)] ?? 0) >> ((block & 1) * 4)) & 15;
  };
  const scale = new Float32Array(blocks * n);
  const zeroPoint = new Int32Array(blocks * n);
  for (let out = 0; out < n; out++) {
    for (let block = 0; block < blocks; block++) {
      scale[block * n + out] = scales[out * blocks + block] ?? 1;
      zeroPoint[block * n + out] = zeroOf(out, block);
    }
  }
  return { dtype: bits === 4 ? "uint4" : "uint8", scale, zeroPoint, axis: 0, blockSize };
}

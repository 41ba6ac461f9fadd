// ConvInteger, MatMulInteger and DynamicQuantizeLinear: plain integers in and int32 out, with zero points as
// inputs, since they may come from the data. docs/quantization.md (24), (38).

import { onnxRule } from "../../../graph/dynamic.ts";
import { formatShape, tensor } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import { bytesOf, constantNamed, readPlain } from "./qparams.ts";
import { convolution } from "./windows.ts";

export function DynamicQuantizeLinear(call: Call): void {
  const outputs = [0, 1, 2].map((index) => call.output(index));
  const inputs = [call.input(0)];
  call.scope.add({ op: "DynamicQuantizeLinear", name: call.name, inputs, outputs, ...onnxRule });
}

/** x and w plain, and their zero points: 0 where the file has none. `channels` counts output channels. */
function operands(
  call: Call,
  channels: number | string | undefined,
): [string, string, string, string] {
  call.fixed(1, "the weight");
  call.fixed(3, "the weight's zero point");
  const [x, w] = [readPlain(call, 0), readPlain(call, 1)];
  const [zx, zw] = ([0, 1] as const).map((index) => {
    const dtype = bytesOf(call, index);
    if (call.optional(index + 2) === undefined) {
      return constantNamed(call, `${call.name}_zero_point`, tensor(dtype, []));
    }
    const zero = call.scope.dtypeOf(call.input(index + 2));
    if (zero !== dtype) call.wrong(`zero point ${index} must be ${dtype}`, zero);
    const shape = call.shape(index + 2);
    const isOne = shape.every((dim) => dim === 1);
    const isPerChannel = index === 1 && shape.length === 1 && shape[0] === channels;
    if (!isOne && !isPerChannel)
      call.refuse(`zero point ${index} of shape ${formatShape(shape)} is not supported`);
    return readPlain(call, index + 2);
  }) as [string, string];
  return [x, w, zx, zw];
}

export function MatMulInteger(call: Call): void {
  if (call.rank(0) < 2) call.refuse(`a product of ${call.rank(0)} axes is not supported`);
  if (call.rank(1) !== 2) call.refuse(`a weight of ${call.rank(1)} axes is not supported; 2 are`);
  const inputs = operands(call, call.shape(1)[1]);
  call.scope.add({ op: "MatMulInteger", name: call.name, inputs, outputs: [call.output()] });
}

export function ConvInteger(call: Call): void {
  const [x, w, zx, zw] = operands(call, call.shape(1)[0]);
  const plain = call.as("ConvInteger", [x, w], [call.output()]);
  convolution(plain, ([input = "", filter = ""], outputs, window) => {
    const inputs = [input, filter, zx, zw];
    call.scope.add({ op: "ConvInteger", name: call.name, inputs, outputs, ...window });
  });
}

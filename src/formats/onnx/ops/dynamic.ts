// onnxruntime's fused dynamic products, spelled out as its quantizer writes them: MatMulInteger → Cast → Mul → Add.
// load makes one MatMulIntegerToFloat of them again (quantize/dynamic/recognize.ts). Microsoft's ContribOperators.md.

import { onnxRule } from "../../../graph/dynamic.ts";
import type { Call } from "../call.ts";
import { MatMulInteger } from "./integers.ts";

/** Names in the file; "" where one is absent. */
interface Product {
  readonly q: string;
  readonly w: string;
  readonly scale: string;
  readonly weightScale: string;
  readonly zero: string;
  readonly weightZero: string;
  readonly bias: string | undefined;
}

function product(call: Call, { q, w, scale, weightScale, zero, weightZero, bias }: Product): void {
  const { scope } = call;
  const value = (what: string) => call.fresh(`${call.output()}_${what}`);
  const name = (what: string) => scope.nodeNames.fresh(`${call.name}_${what}`);
  const [acc, real, factor] = [value("integer"), value("cast"), value("scale")];
  MatMulInteger(call.as("MatMulInteger", [q, w, zero, weightZero], [acc]));
  const cast = { op: "Cast", name: name("cast"), inputs: [acc], outputs: [real] } as const;
  scope.add({ ...cast, to: "float32" }, { dtype: "float32" });
  scope.add({ op: "Mul", name: name("scales"), inputs: [scale, weightScale], outputs: [factor] });
  const scaled = bias === undefined ? call.output() : value("scaled");
  scope.add({ op: "Mul", name: name("scale"), inputs: [real, factor], outputs: [scaled] });
  if (bias === undefined) return;
  scope.add({ op: "Add", name: name("bias"), inputs: [scaled, bias], outputs: [call.output()] });
}

/** (A, B, a_scale, b_scale, a_zero_point?, b_zero_point?, bias?). */
export function MatMulIntegerToFloat(call: Call): void {
  product(call, {
    q: call.input(0),
    w: call.input(1),
    scale: call.input(2),
    weightScale: call.input(3),
    zero: call.optional(4) ?? "",
    weightZero: call.optional(5) ?? "",
    bias: call.optional(6),
  });
}

/** (A, B, b_scale, b_zero_point?, bias?): A is float. */
export function DynamicQuantizeMatMul(call: Call): void {
  const x = call.input(0);
  const made = ["quantized", "scale", "zero_point"].map((what) => call.fresh(`${x}_${what}`));
  const [q = "", scale = "", zero = ""] = made;
  const { nodeNames } = call.scope;
  const node = { op: "DynamicQuantizeLinear", inputs: [x], outputs: made } as const;
  call.scope.add({ ...node, name: nodeNames.fresh(`${call.name}_quantize`), ...onnxRule });
  product(call, {
    q,
    w: call.input(1),
    scale,
    weightScale: call.input(2),
    zero,
    weightZero: call.optional(3) ?? "",
    bias: call.optional(4),
  });
}

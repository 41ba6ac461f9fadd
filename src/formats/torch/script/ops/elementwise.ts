// Element-wise ops. On quantized tensors PyTorch's activations keep their input's parameters, or have
// fixed ones; sums and products bring their own.

import { orderedClamp } from "../../../../graph/clamp.ts";
import type { Clamp } from "../../../../graph/node.ts";
import type { QParams } from "../../../../graph/value.ts";
import type { Call } from "../call.ts";
import type { Draft } from "../translator.ts";
import { Traced, type Thing } from "../values.ts";
import { onNumbers } from "./host.ts";

type Op = (call: Call) => Thing;

/** An activation whose output has the input's parameters. */
const keeping =
  (draft: (call: Call) => Omit<Extract<Draft, { op: string }>, "inputs">): Op =>
  (call) => {
    const x = call.traced(0);
    const inputs = [call.translator.name(x)];
    return call.add({ ...draft(call), inputs } as Draft, call.type(x).quant);
  };

const clip = (low: number, high: number) => ({ op: "Clip", ...orderedClamp(low, high) }) as const;

/** Parameters that PyTorch fixes for the output of a quantized sigmoid or tanh. */
function fixed(call: Call, x: QParams, name: "unit" | "signed"): QParams {
  const signed = x.dtype === "int8";
  if (name === "unit") return call.qparams(1 / 256, signed ? -128 : 0, x.dtype);
  return call.qparams(2 / 256, signed ? 0 : 128, x.dtype);
}

type Curve = "Sigmoid" | "Tanh" | "HardSigmoid" | "HardSwish";

function curve(op: Curve): Draft {
  if (op === "HardSigmoid") return { op, alpha: 1 / 6, beta: 0.5, inputs: [] };
  return { op, inputs: [] };
}

/** sigmoid, tanh, hardsigmoid: fixed parameters on quantized input. */
const bounded =
  (op: Curve, range: "unit" | "signed"): Op =>
  (call) => {
    const x = call.traced(0);
    const { quant } = call.type(x);
    const inputs = [call.translator.name(x)];
    return call.add({ ...curve(op), inputs } as Draft, quant && fixed(call, quant, range));
  };

/** ops.quantized.x(x, scale, zero point). */
const rescaling =
  (op: Curve): Op =>
  (call) => {
    const x = call.traced(0);
    const to = call.qparams(call.number(1), call.number(2), call.quantOf(x).dtype);
    return call.add({ ...curve(op), inputs: [call.translator.name(x)] } as Draft, to);
  };

/** ops.quantized.add(a, b, scale, zero point) and its kin. */
const quantizedBinary =
  (op: "Add" | "Mul", clamp: Clamp): Op =>
  (call) => {
    const [a, b] = [call.traced(0), call.traced(1)];
    call.quantOf(b);
    const to = call.qparams(call.number(2), call.number(3), call.quantOf(a).dtype);
    const inputs = [call.translator.name(a), call.translator.name(b)];
    const rounded = op === "Add" ? call.translator.rounded : {};
    return call.add({ op, inputs, ...clamp, ...rounded }, to);
  };

/** torch.add(a, b, alpha) and its kin, on numbers at once. */
const binary =
  (op: "Add" | "Sub" | "Mul" | "Div"): Op =>
  (call) => {
    const known = onNumbers(call);
    if (known !== undefined) return known;
    const alpha = op === "Add" || op === "Sub" ? call.at(2, "alpha") : null;
    if (alpha !== null && alpha !== 1) throw call.fail("alpha must be 1");
    for (const value of [call.at(0), call.at(1)]) {
      if (value instanceof Traced && call.type(value).quant) {
        throw call.fail("float arithmetic cannot read quantized tensors");
      }
    }
    const inputs = [call.operand(call.at(0)), call.operand(call.at(1))];
    return call.add({ op, inputs });
  };

function hardswish(call: Call): Traced {
  const x = call.traced(0);
  if (call.type(x).quant) throw call.fail("quantized input needs ops.quantized.hardswish");
  return call.add({ op: "HardSwish", inputs: [call.translator.name(x)] });
}

/** x · sigmoid(x). */
function silu(call: Call): Traced {
  const x = call.traced(0);
  if (call.type(x).quant) throw call.fail("it has no quantized form");
  const name = call.translator.name(x);
  const gate = call.add({ op: "Sigmoid", inputs: [name] }, undefined, `${call.label}.sigmoid`);
  return call.add({ op: "Mul", inputs: [name, gate.value] });
}

function softmax(call: Call): Traced {
  const x = call.traced(0);
  const { quant, shape } = call.type(x);
  if (quant) throw call.fail("it has no quantized form");
  const axis = call.axis(call.number(1), shape.length);
  return call.add({ op: "Softmax", axis, inputs: [call.translator.name(x)] });
}

function quantize_per_tensor(call: Call): Traced {
  const x = call.traced(0);
  if (call.type(x).quant) throw call.fail("its input is quantized already");
  const dtype = DTYPES.get(call.number(3));
  if (!dtype) throw call.fail(`dtype ${call.number(3)} must be qint8 (12) or quint8 (13)`);
  const to = call.qparams(call.number(1), call.number(2), dtype);
  return call.add(
    { op: "Quantize", inputs: [call.translator.name(x)] },
    to,
    call.path || call.label,
  );
}

/** Codes of quantized dtypes that activations have. */
const DTYPES: ReadonlyMap<number, "int8" | "uint8"> = new Map([
  [12, "int8"],
  [13, "uint8"],
]);

function dequantize(call: Call): Traced {
  const x = call.traced(0);
  call.quantOf(x);
  const inputs = [call.translator.name(x)];
  return call.add({ op: "Dequantize", inputs }, undefined, call.path || call.label);
}

const bound = (call: Call, index: number, open: number) => call.number(index, open);

/** leaky_relu(x, slope), and with (…, inplace, scale, zero point) quantized. */
const leaky: Op = (call) => {
  const x = call.traced(0);
  const draft = { op: "LeakyRelu", alpha: call.number(1, 0.01) } as const;
  const inputs = [call.translator.name(x)];
  const { quant } = call.type(x);
  if (call.op === "torch.leaky_relu") return call.add({ ...draft, inputs }, quant);
  const to = call.qparams(call.number(3), call.number(4), call.quantOf(x).dtype);
  return call.add({ ...draft, inputs }, to);
};

const relu = keeping(() => ({ op: "Relu" }));
const relu6 = keeping(() => clip(0, 6));

export const elementwise: Readonly<Record<string, Op>> = {
  "torch.relu": relu,
  "torch.relu6": relu6,
  "ops.quantized.relu6": relu6,
  "torch.hardtanh": keeping((call) => clip(bound(call, 1, -1), bound(call, 2, 1))),
  "torch.clamp": keeping((call) => clip(bound(call, 1, -Infinity), bound(call, 2, Infinity))),
  "torch.leaky_relu": leaky,
  "ops.quantized.leaky_relu": leaky,
  "torch.sigmoid": bounded("Sigmoid", "unit"),
  "torch.tanh": bounded("Tanh", "signed"),
  "torch.hardsigmoid": bounded("HardSigmoid", "unit"),
  "torch.hardswish": hardswish,
  "torch.silu": silu,
  "torch.softmax": softmax,
  "ops.quantized.hardswish": rescaling("HardSwish"),
  "ops.quantized.sigmoid": rescaling("Sigmoid"),
  "ops.quantized.add": quantizedBinary("Add", {}),
  "ops.quantized.add_relu": quantizedBinary("Add", { low: 0 }),
  "ops.quantized.mul": quantizedBinary("Mul", {}),
  "ops.quantized.mul_relu": quantizedBinary("Mul", { low: 0 }),
  "torch.add": binary("Add"),
  "torch.sub": binary("Sub"),
  "torch.mul": binary("Mul"),
  "torch.div": binary("Div"),
  "torch.quantize_per_tensor": quantize_per_tensor,
  "torch.dequantize": dequantize,
};

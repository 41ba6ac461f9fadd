// What a graph becomes: the dispatches of a small network at its three stages, as text, and how many
// there are. A change of lowering shows here, in review.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { lower } from "../../../src/plan/lower.ts";
import { printPlan } from "../../../src/plan/plan.ts";
import { annotate } from "../../../src/quantize/annotate.ts";
import { convertGraph } from "../../../src/quantize/convert.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { insertObservers } from "../../../src/quantize/prepare.ts";
import { qconfigs } from "../../../src/quantize/presets.ts";
import { calibrateOnHost } from "../../support/calibrate.ts";
import { pictures, residualGraph } from "../../support/models.ts";

const fused = fuse(residualGraph());
const assignment = annotate(fused, qconfigs.int8);
const prepared = insertObservers(fused, assignment);
const quantized = convertGraph(
  fused,
  assignment,
  calibrateOnHost(prepared, [pictures(2, 1), pictures(2, 2)]),
);
const plan = (graph: Graph) => lower(bindShapes(graph, new Map([["batch", 1]])));

describe("the plan of a residual network", () => {
  it("in float", () => {
    expect(printPlan(plan(fused))).toMatchInlineSnapshot(`
      "arena0: 1024 bytes
      arena1: 1024 bytes
      constants2: 3328 bytes
      input3: 768 bytes
      output4: 256 bytes
      reshapeF32 input images 1×1 x@input3+0:768 out@arena0+0:1024
      convF32 stem 1×1 POINTWISE=0 x@arena0+0:1024 filters@constants2+256:1280 bias@constants2+0:256 out@arena1+0:512
      depthwiseF32 depthwise 1×1 x@arena1+0:512 filters@constants2+1792:512 bias@constants2+1536:256 out@arena0+0:512
      convF32 pointwise 1×1 POINTWISE=1 x@arena0+0:512 filters@constants2+2560:256 bias@constants2+2304:256 out@arena1+512:512
      binaryF32 add 1×1 OP=0 a@arena1+0:512 b@arena1+512:512 out@arena0+0:512
      reduceF32 pool 2×1 LAST=0 WORKGROUP=4 x@arena0+0:512 out@arena1+0:256
      convF32 head 1×1 POINTWISE=1 x@arena1+0:256 filters@constants2+3072:256 bias@constants2+2816:256 out@arena0+0:256
      reshapeF32 output scores 1×1 x@arena0+0:256 out@output4+0:256"
    `);
  });

  it("with observers", () => {
    expect(printPlan(plan(prepared))).toMatchInlineSnapshot(`
      "arena0: 1024 bytes
      arena1: 1024 bytes
      constants2: 3328 bytes
      state3: 59136 bytes
      input4: 768 bytes
      output5: 256 bytes
      reshapeF32 input images 1×1 x@input4+0:768 out@arena0+0:1024
      observeReset observe images 1×1 slot@state3+0:8448
      observeMinmaxF32 observe images 1×1 x@arena0+0:1024 slot@state3+0:8448
      observeHistogramF32 observe images 1×1 BINS=2048 x@arena0+0:1024 slot@state3+0:8448
      convF32 stem 1×1 POINTWISE=0 x@arena0+0:1024 filters@constants2+256:1280 bias@constants2+0:256 out@arena1+0:512
      observeReset observe stem.relu6.out 1×1 slot@state3+8448:8448
      observeMinmaxF32 observe stem.relu6.out 1×1 x@arena1+0:512 slot@state3+8448:8448
      observeHistogramF32 observe stem.relu6.out 1×1 BINS=2048 x@arena1+0:512 slot@state3+8448:8448
      depthwiseF32 depthwise 1×1 x@arena1+0:512 filters@constants2+1792:512 bias@constants2+1536:256 out@arena0+0:512
      observeReset observe depthwise.relu6.out 1×1 slot@state3+16896:8448
      observeMinmaxF32 observe depthwise.relu6.out 1×1 x@arena0+0:512 slot@state3+16896:8448
      observeHistogramF32 observe depthwise.relu6.out 1×1 BINS=2048 x@arena0+0:512 slot@state3+16896:8448
      convF32 pointwise 1×1 POINTWISE=1 x@arena0+0:512 filters@constants2+2560:256 bias@constants2+2304:256 out@arena1+512:512
      observeReset observe pointwise.norm 1×1 slot@state3+25344:8448
      observeMinmaxF32 observe pointwise.norm 1×1 x@arena1+512:512 slot@state3+25344:8448
      observeHistogramF32 observe pointwise.norm 1×1 BINS=2048 x@arena1+512:512 slot@state3+25344:8448
      binaryF32 add 1×1 OP=0 a@arena1+0:512 b@arena1+512:512 out@arena0+0:512
      observeReset observe sum 1×1 slot@state3+33792:8448
      observeMinmaxF32 observe sum 1×1 x@arena0+0:512 slot@state3+33792:8448
      observeHistogramF32 observe sum 1×1 BINS=2048 x@arena0+0:512 slot@state3+33792:8448
      reduceF32 pool 2×1 LAST=0 WORKGROUP=4 x@arena0+0:512 out@arena1+0:256
      observeReset observe pooled 1×1 slot@state3+42240:8448
      observeMinmaxF32 observe pooled 1×1 x@arena1+0:256 slot@state3+42240:8448
      observeHistogramF32 observe pooled 1×1 BINS=2048 x@arena1+0:256 slot@state3+42240:8448
      convF32 head 1×1 POINTWISE=1 x@arena1+0:256 filters@constants2+3072:256 bias@constants2+2816:256 out@arena0+0:256
      observeReset observe scores 1×1 slot@state3+50688:8448
      observeMinmaxF32 observe scores 1×1 x@arena0+0:256 slot@state3+50688:8448
      observeHistogramF32 observe scores 1×1 BINS=2048 x@arena0+0:256 slot@state3+50688:8448
      reshapeF32 output scores 1×1 x@arena0+0:256 out@output5+0:256"
    `);
  });

  it("in integers", () => {
    expect(printPlan(plan(quantized))).toMatchInlineSnapshot(`
      "arena0: 1024 bytes
      arena1: 256 bytes
      constants2: 3328 bytes
      input3: 768 bytes
      output4: 256 bytes
      reshapeF32 input images 1×1 x@input3+0:768 out@arena0+0:1024
      quantizeF32 images_quantized/quantize 1×1 x@arena0+0:1024 out@arena1+0:256
      convI8 stem 1×1 WIDE=0 POINTWISE=0 x@arena1+0:256 bias@constants2+0:256 multiplier@constants2+256:256 out@arena0+0:256 filters@constants2+512:512
      depthwiseI8 depthwise 1×1 WIDE=0 x@arena0+0:256 bias@constants2+1024:256 multiplier@constants2+1280:256 out@arena1+0:256 filters@constants2+1536:256
      convI8 pointwise 1×1 WIDE=0 POINTWISE=1 x@arena1+0:256 bias@constants2+1792:256 multiplier@constants2+2048:256 out@arena0+256:256 filters@constants2+2304:256
      binaryI8 add 1×1 MULTIPLY=0 a@arena0+0:256 b@arena0+256:256 out@arena1+0:256
      reduceI8 pool 2×1 LAST=0 WORKGROUP=4 x@arena1+0:256 out@arena0+0:256
      convI8 head 1×1 WIDE=0 POINTWISE=1 x@arena0+0:256 bias@constants2+2560:256 multiplier@constants2+2816:256 out@arena1+0:256 filters@constants2+3072:256
      dequantizeI8 scores/dequantize 1×1 x@arena1+0:256 out@arena0+0:256
      reshapeF32 output scores 1×1 x@arena0+0:256 out@output4+0:256"
    `);
  });

  it("is the same for the same graph", () => {
    expect(printPlan(plan(quantized))).toBe(printPlan(plan(quantized)));
  });
});

describe("dispatches", () => {
  const shadersOf = (graph: Graph) => plan(graph).steps.map(({ shader }) => shader);

  it("are one a layer: BatchNormalization, clamps and Flatten cost none", () => {
    const layers = ["convF32", "depthwiseF32", "convF32", "binaryF32", "reduceF32", "convF32"];
    expect(shadersOf(fused).filter((shader) => shader !== "reshapeF32")).toEqual(layers);
  });

  it("in integers add one Quantize in front and one Dequantize behind", () => {
    const layers = ["convI8", "depthwiseI8", "convI8", "binaryI8", "reduceI8", "convI8"];
    const between = shadersOf(quantized).filter((shader) => !shader.startsWith("reshape"));
    expect(between).toEqual(["quantizeF32", ...layers, "dequantizeI8"]);
  });

  it("of an observer with a histogram are three", () => {
    const observing = shadersOf(prepared).filter((shader) => shader.startsWith("observe"));
    expect(observing.slice(0, 3)).toEqual([
      "observeReset",
      "observeMinmaxF32",
      "observeHistogramF32",
    ]);
    expect(observing.length).toBe(3 * plan(prepared).states.length);
  });

  it("beyond one a layer are one to bring each input in and one to take each output out", () => {
    const ports = shadersOf(fused).filter((shader) => shader === "reshapeF32");
    expect(ports.length).toBeLessThanOrEqual(2);
  });
});

it("state slots have one size, whatever the batch", () => {
  const words = [1, 7].map((batch) =>
    lower(bindShapes(prepared, new Map([["batch", batch]]))).states.map(({ words }) => words),
  );
  expect(words[1]).toEqual(words[0]);
  expect(new Set(words[0])).toEqual(new Set([8 + 2048]));
});

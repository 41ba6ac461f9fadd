// What a graph becomes: the dispatches of a small network at its three stages, as text, and how many
// there are. A change of lowering shows here, in review.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { lower } from "../../../src/plan/lower.ts";
import { printPlan } from "../../../src/plan/plan.ts";
import { defaultTarget } from "../../../src/plan/target.ts";
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
      arena1: 512 bytes
      arena2: 512 bytes
      constants3: 3328 bytes
      input4: 768 bytes
      output5: 256 bytes
      reshape32 input images 1×1 x@input4+0:768 out@arena0+0:1024
      convF32 stem 1×1 POINTWISE=0 PIXELS=8 WORDS=2 RESIDUAL=0 x@arena0+0:1024 bias@constants3+0:256 residual@arena0+0:1024 out@arena1+0:512 filters@constants3+256:1280
      depthwiseTileF32 depthwise 1×1 ROWS=2 COLUMNS=4 KERNEL_HEIGHT=3 KERNEL_WIDTH=3 STRIDE_HEIGHT=1 STRIDE_WIDTH=1 PATCH_HEIGHT=4 PATCH_WIDTH=6 x@arena1+0:512 filters@constants3+1792:512 bias@constants3+1536:256 out@arena0+0:512
      convF32 pointwise 1×1 POINTWISE=1 PIXELS=8 WORDS=2 RESIDUAL=1 x@arena0+0:512 bias@constants3+2304:256 residual@arena1+0:512 out@arena2+0:512 filters@constants3+2560:256
      reduceF32 pool 2×1 LAST=0 WORKGROUP=4 OP=0 x@arena2+0:512 out@arena0+0:256
      convF32 head 1×1 POINTWISE=1 PIXELS=1 WORDS=2 RESIDUAL=0 x@arena0+0:256 bias@constants3+2816:256 residual@arena0+0:256 out@output5+0:256 filters@constants3+3072:256"
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
      reshape32 input images 1×1 x@input4+0:768 out@arena0+0:1024
      observeMinmaxF32 observe images 1×1 PADDED=1 x@arena0+0:1024 slot@state3+0:8448
      observeHistogramF32 observe images 1×1 PADDED=1 BINS=2048 x@arena0+0:1024 slot@state3+0:8448
      convObservedF32 stem 1×1 POINTWISE=0 PIXELS=8 WORDS=2 RESIDUAL=0 x@arena0+0:1024 bias@constants2+0:256 residual@arena0+0:1024 out@arena1+0:512 filters@constants2+256:1280 slot@state3+8448:8448
      observeHistogramF32 observe stem.relu6.out 1×1 PADDED=0 BINS=2048 x@arena1+0:512 slot@state3+8448:8448
      depthwiseTileObservedF32 depthwise 1×1 ROWS=2 COLUMNS=4 KERNEL_HEIGHT=3 KERNEL_WIDTH=3 STRIDE_HEIGHT=1 STRIDE_WIDTH=1 PATCH_HEIGHT=4 PATCH_WIDTH=6 x@arena1+0:512 filters@constants2+1792:512 bias@constants2+1536:256 out@arena0+0:512 slot@state3+16896:8448
      observeHistogramF32 observe depthwise.relu6.out 1×1 PADDED=0 BINS=2048 x@arena0+0:512 slot@state3+16896:8448
      convObservedF32 pointwise 1×1 POINTWISE=1 PIXELS=8 WORDS=2 RESIDUAL=0 x@arena0+0:512 bias@constants2+2304:256 residual@arena0+0:512 out@arena1+512:512 filters@constants2+2560:256 slot@state3+25344:8448
      observeHistogramF32 observe pointwise.norm 1×1 PADDED=0 BINS=2048 x@arena1+512:512 slot@state3+25344:8448
      binaryF32 add 1×1 OP=0 a@arena1+0:512 b@arena1+512:512 out@arena0+0:512
      observeMinmaxF32 observe sum 1×1 PADDED=0 x@arena0+0:512 slot@state3+33792:8448
      observeHistogramF32 observe sum 1×1 PADDED=0 BINS=2048 x@arena0+0:512 slot@state3+33792:8448
      reduceF32 pool 2×1 LAST=0 WORKGROUP=4 OP=0 x@arena0+0:512 out@arena1+0:256
      observeMinmaxF32 observe pooled 1×1 PADDED=0 x@arena1+0:256 slot@state3+42240:8448
      observeHistogramF32 observe pooled 1×1 PADDED=0 BINS=2048 x@arena1+0:256 slot@state3+42240:8448
      convObservedF32 head 1×1 POINTWISE=1 PIXELS=1 WORDS=2 RESIDUAL=0 x@arena1+0:256 bias@constants2+2816:256 residual@arena1+0:256 out@arena0+0:256 filters@constants2+3072:256 slot@state3+50688:8448
      observeHistogramF32 observe scores 1×1 PADDED=1 BINS=2048 x@arena0+0:256 slot@state3+50688:8448
      reshape32 output scores 1×1 x@arena0+0:256 out@output5+0:256"
    `);
  });

  it("in integers", () => {
    expect(printPlan(plan(quantized))).toMatchInlineSnapshot(`
      "arena0: 256 bytes
      arena1: 256 bytes
      arena2: 256 bytes
      constants3: 3328 bytes
      input4: 768 bytes
      output5: 256 bytes
      reshapeQuantizeF32 images_quantized/quantize 1×1 x@input4+0:768 out@arena0+0:256
      convI8 stem 1×1 POINTWISE=0 WIDE=0 FLOAT_BIAS=0 CHUNKED=0 PIXELS=8 WORDS=2 RESIDUAL=0 x@arena0+0:256 bias@constants3+0:256 multiplier@constants3+256:256 out@arena1+0:256 residual@arena0+0:256 filters@constants3+512:512
      depthwiseTileI8 depthwise 1×1 WIDE=0 FLOAT_BIAS=0 ROWS=2 COLUMNS=4 KERNEL_HEIGHT=3 KERNEL_WIDTH=3 STRIDE_HEIGHT=1 STRIDE_WIDTH=1 PATCH_HEIGHT=4 PATCH_WIDTH=6 x@arena1+0:256 bias@constants3+1024:256 multiplier@constants3+1280:256 out@arena0+0:256 filters@constants3+1536:256
      convI8 pointwise 1×1 POINTWISE=1 WIDE=0 FLOAT_BIAS=0 CHUNKED=0 PIXELS=8 WORDS=2 RESIDUAL=1 x@arena0+0:256 bias@constants3+1792:256 multiplier@constants3+2048:256 out@arena2+0:256 residual@arena1+0:256 filters@constants3+2304:256
      reduceI8 pool 2×1 LAST=0 WORKGROUP=4 x@arena2+0:256 out@arena0+0:256
      convI8 head 1×1 POINTWISE=1 WIDE=0 FLOAT_BIAS=0 CHUNKED=0 PIXELS=1 WORDS=2 RESIDUAL=0 x@arena0+0:256 bias@constants3+2560:256 multiplier@constants3+2816:256 out@arena1+0:256 residual@arena0+0:256 filters@constants3+3072:256
      dequantizeI8 scores/dequantize 1×1 x@arena1+0:256 out@output5+0:256"
    `);
  });

  it("is the same for the same graph", () => {
    expect(printPlan(plan(quantized))).toBe(printPlan(plan(quantized)));
  });
});

describe("dispatches", () => {
  const shadersOf = (graph: Graph) => plan(graph).steps.map(({ shader }) => shader);

  it("are one a layer: BatchNormalization, clamps, Flatten and the residual Add cost none", () => {
    const layers = ["convF32", "depthwiseTileF32", "convF32", "reduceF32", "convF32"];
    expect(shadersOf(fused).filter((shader) => shader !== "reshape32")).toEqual(layers);
  });

  it("in integers add one Quantize in front and one Dequantize behind", () => {
    const layers = ["convI8", "depthwiseTileI8", "convI8", "reduceI8", "convI8"];
    expect(shadersOf(quantized)).toEqual(["reshapeQuantizeF32", ...layers, "dequantizeI8"]);
  });

  it("of an observer with a histogram are one where the producer keeps the range, else two", () => {
    const observing = shadersOf(prepared).filter((shader) => shader.startsWith("observe"));
    expect(observing.slice(0, 2)).toEqual(["observeMinmaxF32", "observeHistogramF32"]);
    const kept = shadersOf(prepared).filter((shader) => /Observed/.test(shader)).length;
    expect(kept).toBe(4);
    expect(observing.length).toBe(2 * plan(prepared).states.length - kept);
  });

  it.each([
    [4092, "observeHistogramPrivateF32", { PAIRS: 2046 }],
    [4093, "observeHistogramF32", {}],
    [4096, "observeHistogramF32", {}],
  ] as const)(
    "on software count %i bins in memory of their own while a function holds them: %s",
    (bins, shader, more) => {
      const observer = { kind: "histogram", bins } as const;
      const activation = { ...qconfigs.int8.activation, observer };
      const graph = insertObservers(fused, annotate(fused, { ...qconfigs.int8, activation }));
      const bound = bindShapes(graph, new Map([["batch", 1]]));
      const { steps } = lower(bound, { ...defaultTarget, software: true });
      const counting = steps.filter((step) => step.shader.startsWith("observeHistogram"));
      expect(counting.length).toBeGreaterThan(0);
      for (const step of counting) {
        expect(step.shader).toBe(shader);
        expect(step.overrides).toMatchObject({ BINS: bins, ...more });
      }
    },
  );

  it("beyond one a layer are one to bring each input in and one to take each output out", () => {
    const ports = shadersOf(fused).filter((shader) => shader === "reshape32");
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

// How runs reach the device and come back: in one submit or, where they are long, in several; what an
// abort leaves; how steps are timed; and how much memory MobileNetV2 takes.

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  adoptDevice,
  calibrate,
  compile,
  convert,
  load,
  Model,
  prepare,
  profile,
  type Device,
} from "../../src/node.ts";
import { loadPlan, writeSlice } from "../../src/gpu/loadedPlan.ts";
import { Program } from "../../src/gpu/program.ts";
import { kickPays, readBack } from "../../src/gpu/readback.ts";
import { replay } from "../../src/gpu/replay.ts";
import { Schedule } from "../../src/gpu/schedule.ts";
import { PlanBuilder } from "../../src/plan/builder.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { tensor, type Tensor } from "../../src/tensor/tensor.ts";
import { testDevice, testInstance } from "../support/device.ts";
import { pictures, residualGraph } from "../support/models.ts";
import { floats } from "../support/seeded.ts";
import { hasSharedData, readShared } from "../support/sharedData.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterEach(() => {
  vi.restoreAllMocks();
  expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
});
afterAll(() => device.dispose());

const STEPS = 40;
const COUNT = 64;

/** 40 lookups, each of which adds one to every byte. */
function chainPlan(): Plan {
  const plan = new PlanBuilder();
  const wrap = (q: number) => ((q + 128) & 255) - 128;
  const table = plan.constant(Int32Array.from({ length: 256 }, (_, q) => wrap(q - 128 + 1)));
  let x = plan.input("x", "int8", [COUNT], COUNT, 0);
  for (let step = 0; step < STEPS; step++) {
    const isLast = step === STEPS - 1;
    const out = isLast ? plan.output("y", "int8", [COUNT], COUNT, 0) : plan.tensor(COUNT);
    const buffers = { x, table, out };
    plan.step("lookupI8", {
      node: `add ${step}`,
      uniforms: { count: COUNT / 4 },
      buffers,
      groups: 1,
    });
    x = out;
  }
  return plan.finish();
}

const bytes = (from: number) => Int8Array.from({ length: COUNT }, (_, index) => from + index - 100);
const feed = (from: number) =>
  new Map<string, Tensor>([["x", tensor("int8", [COUNT], bytes(from))]]);
const answer = (from: number) => tensor("int8", [COUNT], bytes(from + STEPS));

/** Counts the submits of `device`, and how many of them the GPU had not done when one was added. */
function watchSubmits() {
  const seen = { submits: 0, most: 0 };
  let inFlight = 0;
  const { queue } = device.gpu;
  const submit = queue.submit.bind(queue);
  const done = queue.onSubmittedWorkDone.bind(queue);
  vi.spyOn(queue, "submit").mockImplementation((buffers) => {
    submit(buffers);
    seen.submits++;
    inFlight++;
    seen.most = Math.max(seen.most, inFlight);
    void done().then(() => inFlight--);
  });
  return seen;
}

/** `chainPlan` replayed by `schedule`. */
async function replayChain(schedule: Schedule, signal?: AbortSignal): Promise<Int8Array> {
  const plan = chainPlan();
  const { buffers, dispatches, readback, owned, ownConstants } = await loadPlan(device, plan);
  const [input, output] = [plan.inputs[0]!.slice, plan.outputs[0]!.slice];
  try {
    const frame = {
      before: () => writeSlice(device, buffers, input, bytes(0)),
      after: (encoder: GPUCommandEncoder) =>
        encoder.copyBufferToBuffer(buffers[output.buffer]!, output.offset, readback, 0, COUNT),
      read: () => readBack(device, readback, [{ offset: 0, size: COUNT }], false),
    };
    const [result] = await replay(device, dispatches, schedule, frame, signal);
    return new Int8Array(result!);
  } finally {
    for (const buffer of owned) device.free(buffer);
    ownConstants?.dispose();
  }
}

/** A schedule that believes that each step takes `ms`. */
function believing(ms: number): Schedule {
  const schedule = new Schedule(STEPS);
  for (let chunk = schedule.next(0); ; chunk = schedule.next(chunk.to)) {
    schedule.record(chunk, ms * (chunk.to - chunk.from));
    if (chunk.to === STEPS) return schedule;
  }
}

describe("a run", () => {
  it("that was measured to be short is one submit", async () => {
    using program = await Program.create(device, chainPlan());
    for (let warm = 0; warm < 3; warm++) await program.run(feed(warm));
    const seen = watchSubmits();
    expect((await program.run(feed(3))).get("y")).toEqual(answer(3));
    expect(seen.submits).toBe(1);
  });

  it("asks for one error scope a submit, each of which is a message to another process: the first two share theirs", async () => {
    for (const [ms, submits, wanted] of [
      [0.1, 1, 1],
      [3, 2, 1], // 120 ms in submits of 75
      [60, STEPS, STEPS - 1],
    ] as const) {
      const whole = await replayChain(believing(0.1));
      const scopes = vi.spyOn(device.gpu, "pushErrorScope");
      const before = scopes.mock.calls.length;
      const seen = watchSubmits();
      const schedule = believing(ms);
      vi.spyOn(schedule, "record").mockImplementation(() => undefined);
      expect(await replayChain(schedule)).toEqual(whole);
      const mine = scopes.mock.calls.slice(before).filter(([filter]) => filter === "validation");
      const loading = 3; // loadPlan's own: allocating and writing constants, and everything else
      expect([seen.submits, mine.length - loading]).toEqual([submits, wanted]);
      vi.restoreAllMocks();
    }
  });

  it("can be submitted again without waiting, on what lies in the buffers", async () => {
    using program = await Program.create(device, chainPlan());
    for (let warm = 0; warm < 3; warm++) await program.run(feed(warm));
    const seen = watchSubmits();
    for (let run = 0; run < 5; run++) await program.resubmit();
    expect(seen.submits).toBe(5);
    await device.gpu.queue.onSubmittedWorkDone();
    for (const run of [4, 5]) expect((await program.run(feed(run))).get("y")).toEqual(answer(run));
    expect(seen.submits).toBe(7);
  });

  it("that takes long is many, two in flight, and gives the same bytes", async () => {
    const whole = await replayChain(believing(0.1));
    const seen = watchSubmits();
    expect(await replayChain(believing(60))).toEqual(whole);
    expect(whole).toEqual(bytes(STEPS));
    expect(seen.submits).toBe(STEPS); // two of 60 ms are over the limit
    expect(seen.most).toBe(2);
  });

  it("feels its way the first time, one submit in flight", async () => {
    const seen = watchSubmits();
    expect(await replayChain(new Schedule(STEPS))).toEqual(bytes(STEPS));
    expect(seen.submits).toBeGreaterThan(2); // of 40 steps: 4, then at most twice as many each
    expect(seen.most).toBe(1);
  });

  it("aborted between its submits stops, rejects with the reason, and leaves the GPU idle", async () => {
    const controller = new AbortController();
    const seen = watchSubmits();
    const result = replayChain(believing(60), controller.signal);
    const outcome = expect(result).rejects.toThrow("enough");
    while (seen.submits < 3) await new Promise((resolve) => setTimeout(resolve));
    controller.abort(new Error("enough"));
    const atAbort = seen.submits;
    await outcome;
    expect(seen.submits).toBeLessThanOrEqual(atAbort + 1); // one may have been on its way
    expect(seen.submits).toBeLessThan(STEPS);
  });

  it("can be repeated after an abort, by the same program", async () => {
    using program = await Program.create(device, chainPlan());
    const controller = new AbortController();
    const seen = watchSubmits();
    const result = program.run(feed(1), controller.signal);
    const outcome = expect(result).rejects.toMatchObject({ name: "AbortError" });
    while (seen.submits < 1) await Promise.resolve();
    controller.abort();
    await outcome;
    expect(seen.submits).toBe(1); // the first four steps
    expect((await program.run(feed(2))).get("y")).toEqual(answer(2));
  });

  it("aborted while its only submit runs rejects as well, and can be repeated", async () => {
    using program = await Program.create(device, chainPlan());
    for (let warm = 0; warm < 3; warm++) await program.run(feed(warm));
    const controller = new AbortController();
    const seen = watchSubmits();
    const result = program.run(feed(4), controller.signal);
    const outcome = expect(result).rejects.toMatchObject({ name: "AbortError" });
    while (seen.submits < 1) await Promise.resolve();
    controller.abort();
    await outcome;
    expect((await program.run(feed(5))).get("y")).toEqual(answer(5));
  });

  it("that the GPU refuses is a GpuError, in one submit and in many", async () => {
    for (const ms of [0.1, 60]) {
      const plan = chainPlan();
      const { buffers, dispatches, readback, owned, ownConstants } = await loadPlan(device, plan);
      for (const buffer of owned) if (buffer !== readback) device.free(buffer);
      const frame = {
        before: (encoder: GPUCommandEncoder) => encoder.clearBuffer(buffers[0]!),
        after: () => undefined,
        read: () => readBack(device, readback, [{ offset: 0, size: COUNT }], false),
      };
      const result = replay(device, dispatches, believing(ms), frame, undefined);
      await expect(result).rejects.toMatchObject({
        name: "GpuError",
        message: expect.stringMatching(/^run: .+ Please report this/s),
      });
      device.free(readback);
      ownConstants?.dispose();
    }
  });

  it("in flight when its program is disposed says so", async () => {
    const program = await Program.create(device, chainPlan());
    const seen = watchSubmits();
    const result = program.run(feed(1));
    const outcome = expect(result).rejects.toMatchObject({ name: "DisposedError" });
    while (seen.submits < 1) await Promise.resolve();
    program.dispose();
    await outcome;
  });
});

describe("reading back", () => {
  const SIZE = 1024;

  it("while the device is asked gives the same bytes, and disturbs nobody's error scope", async () => {
    const data = Uint8Array.from({ length: SIZE }, (_, index) => index * 7);
    const source = device.createBuffer({ size: SIZE, usage: 0xc }); // COPY_SRC | COPY_DST
    const target = device.createBuffer({ size: SIZE, usage: 0x9 }); // MAP_READ | COPY_DST
    device.gpu.queue.writeBuffer(source, 0, data);
    const encoder = device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(source, 0, target, 0, SIZE);
    device.gpu.queue.submit([encoder.finish()]);
    const ranges = [
      { offset: 256, size: 8 },
      { offset: 264, size: SIZE - 264 },
    ];
    device.gpu.pushErrorScope("validation");
    const parts = await readBack(device, target, ranges, true);
    device.gpu.createBuffer({ size: 4, usage: 0x3 }); // MAP_READ | MAP_WRITE is refused
    expect(await device.gpu.popErrorScope()).not.toBeNull();
    expect(parts.map((part) => new Uint8Array(part))).toEqual([
      data.slice(256, 264),
      data.slice(264),
    ]);
    for (const buffer of [source, target]) device.free(buffer);
  });

  it("is measured once a device, and asking is never worth it where waiting is paced", async () => {
    const asked = vi.spyOn(device.gpu.queue, "submit");
    const { pacer } = device;
    device.pacer = { begin: () => undefined, end: () => undefined };
    expect(await kickPays(device)).toBe(false);
    expect(asked).not.toHaveBeenCalled();
    const fresh = await testDevice();
    fresh.pacer = undefined;
    const measure = vi.spyOn(fresh.gpu.queue, "submit");
    const pays = await kickPays(fresh);
    const submits = measure.mock.calls.length;
    expect(submits).toBeGreaterThan(3);
    expect(await kickPays(fresh)).toBe(pays);
    expect(measure).toHaveBeenCalledTimes(submits);
    expect(fresh.memory).toEqual({ buffers: 0, bytes: 0 });
    fresh.dispose();
    device.pacer = pacer;
  });
});

describe("a profile", () => {
  const model = () => new Model("float", residualGraph(), {});

  it("has a time of every step in order, by the GPU's clock where there is one", async () => {
    using session = await compile(model(), device);
    const { steps, total, source } = await profile(session, pictures(2, 1), { repeats: 2 });
    const { plan } = await session.program(pictures(2, 1));
    const names = plan.steps.map(({ node, shader }) => ({ node, shader }));
    expect(steps.map(({ node, shader }) => ({ node, shader }))).toEqual(names);
    expect(source).toBe(device.gpu.features.has("timestamp-query") ? "timestamp" : "wall");
    for (const { ms } of steps) expect(ms).toBeGreaterThanOrEqual(0);
    expect(total).toBeGreaterThan(0);
    expect(total).toBeCloseTo(
      steps.reduce((sum, { ms }) => sum + ms, 0),
      9,
    );
  });

  it("is taken by the wall clock on a device without timestamps", async () => {
    const gpu = testInstance();
    const plain = await (await gpu.requestAdapter())!.requestDevice();
    const adopted = adoptDevice(plain, gpu);
    using session = await compile(model(), adopted);
    const { steps, source } = await profile(session, pictures(1, 1), { repeats: 1 });
    expect(source).toBe("wall");
    for (const { ms } of steps) expect(ms).toBeGreaterThan(0);
    session.dispose();
    adopted.dispose();
    plain.destroy();
  });

  it("finds the step that does the work", async () => {
    const plan = new PlanBuilder();
    const table = plan.constant(Int32Array.from({ length: 256 }, (_, q) => q - 128));
    const sizes = [64, 1 << 22, 64];
    sizes.forEach((count, index) => {
      const x = plan.input(`x${index}`, "int8", [count], count, 0);
      const out = plan.output(`y${index}`, "int8", [count], count, 0);
      const node = `lookup ${index}`;
      const groups = Math.ceil(count / 4 / 64);
      plan.step("lookupI8", {
        node,
        uniforms: { count: count / 4 },
        buffers: { x, table, out },
        groups,
      });
    });
    using program = await Program.create(device, plan.finish());
    await program.run(new Map());
    const [first, large, last] = await program.timeSteps(3);
    expect(large).toBeGreaterThan(first!);
    expect(large).toBeGreaterThan(last!);
  });

  it("is aborted by its signal, and the session runs on", async () => {
    using session = await compile(model(), device);
    const signal = AbortSignal.abort();
    await expect(profile(session, pictures(1, 1), { signal })).rejects.toMatchObject({
      name: "AbortError",
    });
    expect((await session.run(pictures(1, 1)))["scores"]?.shape).toEqual([1, 5]);
  });
});

const FILE = "models/mobilenetv2-float.onnx";

it.runIf(hasSharedData(FILE, "the memory of MobileNetV2"))(
  "MobileNetV2 in int8 takes at most three times the bytes of its weights",
  async () => {
    const float = (await load(readShared(FILE))) as Model<"float">;
    const input = { input: floats([1, 3, 224, 224], 1) };
    const options = { device, biasCorrection: false } as const;
    const model = convert(await calibrate(prepare(float), [input], options));
    let weights = 0;
    for (const { dtype, data } of model.graph.constants.values())
      if (dtype === "int8") weights += data.byteLength;
    expect(weights).toBeGreaterThan(3.4e6);
    using session = await compile(model, device);
    let most = 0;
    const { queue } = device.gpu;
    const submit = queue.submit.bind(queue);
    vi.spyOn(queue, "submit").mockImplementation((buffers) => {
      submit(buffers);
      most = Math.max(most, device.memory.bytes);
    });
    for (let run = 0; run < 2; run++) await session.run(input);
    const after = device.memory.bytes;
    console.log(
      `MobileNetV2 int8, batch 1: ${weights} bytes of weights, ${most} on the GPU during a run, ` +
        `${after} after (${(most / weights).toFixed(2)} ×)`,
    );
    expect(most).toBe(after); // a run allocates nothing
    expect(most).toBeLessThanOrEqual(3 * weights);
  },
);

// The protocol between a page and its worker, over a message channel and without a device. What needs
// one is in test/browser/bits.test.ts.

import { afterEach, describe, expect, it } from "vitest";
import { FormatError, NoAdapterError, NonFiniteError } from "../../src/errors.ts";
import type { Device } from "../../src/gpu/device.ts";
import type { QuantizeJob } from "../../src/job.ts";
import { WorkerClient, WorkerError } from "../../src/workerClient.ts";
import type { Port } from "../../src/workerMessages.ts";
import { serve } from "../../src/workerServer.ts";

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** A client whose server asks `request` for devices. */
function connect(request: () => Promise<Device>): WorkerClient {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  serve(port1 as unknown as Port, request);
  return new WorkerClient(port2 as unknown as MessagePort);
}

const job: QuantizeJob = {
  model: new Uint8Array([1, 2, 3]),
  calibration: [],
  evaluation: [],
  preprocess: { scale: 255, mean: [0, 0, 0], std: [1, 1, 1], order: "rgb" },
};

const facts = { vendor: "v", architecture: "a", device: "", description: "d", isFallback: true };

/** As much of a device as the server itself touches; `lose` takes it away. */
function fakeDevice() {
  let lose: () => void = () => undefined;
  const lost = new Promise<void>((resolve) => (lose = resolve));
  const device = { facts, memory: { buffers: 0, bytes: 0 }, lost } as unknown as Device;
  return { device, lose };
}

describe("the worker's protocol", () => {
  it.each([
    [new NoAdapterError("no adapter"), "NoAdapterError", "no-adapter", "no adapter"],
    [
      new NonFiniteError(
        "calibrate",
        { tensor: "images", kind: "input", value: NaN, first: 7, count: 1, batch: 3 },
        ["Check the preprocessing of that batch"],
      ),
      "NonFiniteError",
      "non-finite",
      'calibrate: batch 3, input "images": must be finite; got NaN at index 7. ' +
        "Check the preprocessing of that batch.",
    ],
    [
      new TypeError("x is undefined"),
      "TypeError",
      undefined,
      "x is undefined (This is a bug of webgpu-quant: please report it.)",
    ],
  ])("carries %s with its name, code and words", async (error, name, code, message) => {
    const client = connect(() => Promise.reject(error));
    const got = await client.status().catch((caught: unknown) => caught);
    expect(got).toBeInstanceOf(WorkerError);
    expect(got).toMatchObject({ name, code, message });
  });

  it("keeps one device, and asks for another one after a loss or a failure", async () => {
    const [first, second] = [fakeDevice(), fakeDevice()];
    const answers = [
      Promise.reject(new NoAdapterError("busy")),
      Promise.resolve(first.device),
      Promise.resolve(second.device),
    ];
    answers[0]?.catch(() => undefined);
    let asked = 0;
    const client = connect(() => answers[asked++]!);
    await expect(client.status()).rejects.toThrow("busy");
    expect(await client.status()).toEqual({ adapter: facts, memory: { buffers: 0, bytes: 0 } });
    await client.status();
    expect(asked).toBe(2);
    first.lose();
    await client.status();
    await client.status();
    expect(asked).toBe(3);
  });

  it("refuses an aborted job before it is sent, with the signal's reason", async () => {
    let asked = 0;
    const client = connect(() => {
      asked++;
      return Promise.resolve(fakeDevice().device);
    });
    const reason = new Error("changed my mind");
    await expect(client.quantize(job, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(asked).toBe(0);
  });

  it("aborts a job that waits behind another one, which is not touched", async () => {
    let open: (device: Device) => void = () => undefined;
    const client = connect(() => new Promise((resolve) => (open = resolve)));
    const controller = new AbortController();
    const first = client.quantize(job);
    const second = client.quantize(job, { signal: controller.signal });
    const outcomes = Promise.allSettled([first, second]);
    await new Promise((resolve) => setTimeout(resolve)); // both are in the queue
    controller.abort();
    await new Promise((resolve) => setTimeout(resolve)); // and the abort has overtaken them
    open(fakeDevice().device);
    const [one, two] = await outcomes;
    expect(one).toMatchObject({
      status: "rejected",
      reason: { name: new FormatError("", "", "").name },
    });
    expect(two).toMatchObject({ status: "rejected", reason: controller.signal.reason });
  });

  it("carries a training job like any other", async () => {
    const client = connect(() => Promise.resolve(fakeDevice().device));
    const training = { ...job, calibration: [], training: [], epochs: 1 };
    await expect(client.train(training)).rejects.toMatchObject({ name: "FormatError" });
    const signal = AbortSignal.abort(new Error("changed my mind"));
    await expect(client.train(training, { signal })).rejects.toBe(signal.reason);
  });

  it("rejects what is pending when it is disposed, and everything after", async () => {
    const client = connect(() => new Promise(() => undefined));
    const pending = client.status();
    client.dispose();
    await expect(pending).rejects.toThrowErrorMatchingInlineSnapshot(
      `[WorkerError: worker: it was disposed. Start another one.]`,
    );
    await expect(client.quantize(job)).rejects.toMatchObject({ code: "worker" });
  });

  it("fails everything where the worker's script does not answer in time", async () => {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2); // nobody serves port1, as behind a script that a bundler emptied
    const client = new WorkerClient(port2 as unknown as MessagePort, { timeout: 20 });
    await expect(client.status()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[WorkerError: worker: it did not answer within 0.02 s. Check that its script imports "webgpu-quant/worker", that the bundler kept that import, and that the file is served; a slow network needs a longer timeout: new WorkerClient(worker, { timeout }).]`,
    );
    await expect(client.quantize(job)).rejects.toMatchObject({ code: "worker" });
  });

  it("waits for as long as a job takes, once the worker answered", async () => {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    let open: (device: Device) => void = () => undefined;
    serve(port1 as unknown as Port, () => new Promise((resolve) => (open = resolve)));
    const client = new WorkerClient(port2 as unknown as MessagePort, { timeout: 20 });
    const status = client.status();
    await new Promise((resolve) => setTimeout(resolve, 60));
    open(fakeDevice().device);
    expect(await status).toMatchObject({ adapter: facts });
  });
});

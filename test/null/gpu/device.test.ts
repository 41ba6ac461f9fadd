// What a device makes of the errors that its scopes catch, on a GPU that errs as it is told.

import { expect, it } from "vitest";
import { Device, type AdapterFacts } from "../../../src/gpu/device.ts";
import { GpuError } from "../../../src/errors.ts";

/** A device whose scopes catch an error of each kind in `errors`, and the scopes that are open. */
function erring(...errors: GPUErrorFilter[]) {
  const open: GPUErrorFilter[] = [];
  const gpu = {
    lost: new Promise(() => undefined),
    pushErrorScope: (filter: GPUErrorFilter) => void open.push(filter),
    popErrorScope: () => {
      const filter = open.pop();
      if (!filter) throw new Error("no scope is open");
      return Promise.resolve(errors.includes(filter) ? { message: filter } : null);
    },
  };
  return { device: new Device(gpu as unknown as GPUDevice, {} as AdapterFacts, false), open };
}

it("gives what the work gave where no scope caught anything, and leaves none open", async () => {
  const { device, open } = erring();
  expect(await device.scoped("work", () => 7)).toBe(7);
  expect(open).toEqual([]);
});

it.each([
  [["out-of-memory"], /^work: out-of-memory\. Out of GPU memory .*smaller batch/],
  [["validation"], /^work: validation\. Please report/],
  [["internal"], /^work: internal\. Please report/],
  [["internal", "out-of-memory", "validation"], /^work: validation\. Please report/],
  [["internal", "out-of-memory"], /^work: out-of-memory\. Out of GPU memory/],
] as const)("names the error of a scope, a validation error first: %j", async (errors, message) => {
  const { device } = erring(...errors);
  const outcome = device.scoped("work", () => undefined);
  await expect(outcome).rejects.toThrow(GpuError);
  await expect(outcome).rejects.toThrow(message);
});

it("opens the scopes that are asked for and no others", async () => {
  const { device } = erring("internal", "out-of-memory");
  const filters = ["out-of-memory", "validation"] as const;
  await expect(device.scoped("run", () => undefined, filters)).rejects.toThrow(/^run: out-of-/);
  await expect(device.scoped("run", () => 1, ["validation"])).resolves.toBe(1);
});

it("closes its scopes where the work throws", async () => {
  const { device, open } = erring();
  const work = () => {
    throw new RangeError("no");
  };
  await expect(device.scoped("work", work)).rejects.toThrow(RangeError);
  expect(open).toEqual([]);
});

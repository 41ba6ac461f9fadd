// What callers from JavaScript get wrong, or forget, told before anything is read from it: TypeScript refuses the
// same when it compiles.

import { InputError } from "./errors.ts";
import { kindOf } from "./text/names.ts";

const isObject = (value: unknown): value is Record<PropertyKey, unknown> =>
  typeof value === "object" && value !== null;

/** Throws InputError unless `device` is one of requestDevice. */
export function checkDevice(verb: string, device: unknown): void {
  if (isObject(device) && typeof device["check"] === "function" && "gpu" in device) return;
  throw new InputError(
    `${verb}: the device must be one of requestDevice; got ${kindOf(device)}. ` +
      "Make it first: const device = await requestDevice().",
  );
}

/** Throws InputError unless `options` is an object with a device. */
export function checkDeviceOption(verb: string, options: unknown): void {
  if (!isObject(options)) {
    throw new InputError(
      `${verb}: options must be an object with a device; got ${kindOf(options)}. ` +
        "Pass { device }, of requestDevice.",
    );
  }
  checkDevice(verb, options["device"]);
}

/** Throws InputError unless `data` can be gone through. */
export function checkBatches(verb: string, data: unknown): void {
  const isIterable = isObject(data) && (Symbol.iterator in data || Symbol.asyncIterator in data);
  if (isIterable) return;
  throw new InputError(
    `${verb}: data must be batches, an array or an (async) iterable of inputs by name; got ` +
      `${kindOf(data)}. Pass [{ input: tensor(dtype, shape, data) }].`,
  );
}

/** Throws InputError unless `session` is one of compile. */
export function checkSession(verb: string, session: unknown): void {
  if (isObject(session) && typeof session["run"] === "function" && "graph" in session) return;
  throw new InputError(
    `${verb}: the session must be one of compile; got ${kindOf(session)}. ` +
      "Make it first: const session = await compile(model, device).",
  );
}

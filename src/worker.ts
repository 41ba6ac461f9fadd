// `webgpu-quant/worker`: the script of a module worker that runs whole jobs off the page's thread.
// Start it from a file of your own origin and talk to it through WorkerClient (workerClient.ts).

import { requestDevice } from "./requestDevice.ts";
import type { Port } from "./workerMessages.ts";
import { serve } from "./workerServer.ts";

// TypeScript's page types say Window; here it is the worker's global scope, which is a port.
const scope = globalThis as unknown as Port & { readonly location: Location };
const spawn = () =>
  new Worker(scope.location.href, { type: "module", name: "webgpu-quant pictures" });
serve(scope, requestDevice, typeof Worker === "undefined" ? undefined : spawn);

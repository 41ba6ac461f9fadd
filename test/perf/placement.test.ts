// Which ops of a dynamically quantized file onnxruntime-web's WebGPU provider runs, by its own account: what the
// ratios of transformer.test.ts compare with. Its integer products run on the CPU.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { launchChromium } from "../support/chromium.ts";

const dist = new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url);
const model = new URL("../fixtures/ort/mlp.QInt8.perTensor.onnx", import.meta.url);

/** Opens the model and says so. */
const html = `<script type="module">
  import * as ort from "/ort.webgpu.min.mjs";
  ort.env.wasm.wasmPaths = "/";
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "verbose";
  const bytes = new Uint8Array(await (await fetch("/model")).arrayBuffer());
  await ort.InferenceSession.create(bytes, { executionProviders: ["webgpu"], logSeverityLevel: 0 });
  globalThis.isReady = true;
</script>`;

/** That page, the runtime's files and the model. */
async function serve() {
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const isPage = path === "/";
    response.setHeader(
      "content-type",
      isPage ? "text/html" : path.endsWith(".wasm") ? "application/wasm" : "text/javascript",
    );
    try {
      response.end(
        isPage ? html : readFileSync(path === "/model" ? model : new URL(`.${path}`, dist)),
      );
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}

it("onnxruntime-web's WebGPU provider leaves dynamic quantization to the CPU", async () => {
  const server = await serve();
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    const lines: string[] = [];
    page.on("console", (message) => lines.push(message.text()));
    await page.goto(server.url);
    await page.waitForFunction("globalThis.isReady", undefined, { timeout: 60_000 });
    const placed = new Map<string, string[]>();
    let provider = "";
    for (const line of lines.filter((each) => each.includes("VerifyEachNodeIsAssigned"))) {
      provider = /placed on \[(\w+)\]/.exec(line)?.[1] ?? provider;
      const op = /\]\s+(\w+) \(/.exec(line)?.[1];
      if (op) placed.set(provider, [...(placed.get(provider) ?? []), op]);
    }
    for (const [name, ops] of placed) console.log(`${name}: ${ops.join(", ")}`);
    const onCpu = placed.get("CPUExecutionProvider") ?? [];
    expect(onCpu.filter((op) => op === "MatMulInteger")).toHaveLength(2);
    expect(onCpu.filter((op) => op === "DynamicQuantizeLinear")).toHaveLength(2);
  } finally {
    await browser.close();
    server.close();
  }
});

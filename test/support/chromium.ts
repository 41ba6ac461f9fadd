// A Chromium for tests that need a browser: the one that scripts/setup.mjs finds. A missing browser
// fails the test; it is never skipped.

import { chromium, type Browser } from "playwright";

interface Setup {
  findChromium(): Promise<string | undefined>;
}

/** Path of a Chromium that starts. */
export async function findChromium(): Promise<string> {
  const setup = new URL("../../scripts/setup.mjs", import.meta.url).href;
  const { findChromium } = (await import(setup)) as Setup;
  const found = await findChromium();
  if (found) return found;
  throw new Error("no Chromium here. Run `node scripts/setup.mjs`, or set CHROMIUM.");
}

export interface LaunchOptions {
  /** "software" is Chromium's own adapter; "none" has WebGPU without an adapter, on any machine. */
  readonly webgpu?: "software" | "none";
  /** Chromium's own host names, such as "MAP page.test 127.0.0.1". */
  readonly hosts?: string;
}

const WEBGPU = {
  software: ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  none: ["--use-webgpu-adapter=swiftshader"], // refused without the flag above
};

/** A headless Chromium that asks nobody for anything by itself. */
export async function launchChromium(options: LaunchOptions = {}): Promise<Browser> {
  const { webgpu = "software", hosts } = options;
  return await chromium.launch({
    executablePath: await findChromium(),
    args: [
      ...WEBGPU[webgpu],
      ...(hosts ? [`--host-resolver-rules=${hosts}`] : []),
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), // root cannot use the sandbox
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-gpu-watchdog", // software shaders on a busy machine are slow, not stuck
    ],
  });
}

// What the page says of the visitor's GPU: its facts, or why there is none and how to turn it on.

import type { AdapterFacts } from "../src/gpu/device.ts";
import { WorkerError } from "../src/workerClient.ts";
import type { WorkerStatus } from "../src/workerMessages.ts";
import { byId, element } from "./dom.ts";

/** Words for a person: a headline, and what to do. */
interface Advice {
  readonly title: string;
  readonly steps: readonly string[];
}

export function showAdapter({ adapter }: WorkerStatus): void {
  const { vendor, architecture, description, isFallback, packedDot } = adapter;
  const name = [description || vendor, architecture].filter((part) => part !== "").join(", ");
  const facts: readonly (readonly [string, string])[] = [
    ["GPU", name || "unnamed"],
    ["Kind", isFallback ? "software" : "hardware"],
    ["int8 dot product", packedDot ? "dot4I8Packed" : "emulated"],
  ];
  byId("adapter").replaceChildren(
    ...facts.map(([term, fact]) =>
      element(
        "div",
        {},
        element("dt", { textContent: term }),
        element("dd", { textContent: fact }),
      ),
    ),
  );
  if (isFallback) warn(adapter);
}

function warn({ description }: AdapterFacts): void {
  const advice = byId("advice");
  advice.className = "box warning";
  advice.replaceChildren(
    element("p", {
      textContent:
        `${description || "This adapter"} is software: it computes on the CPU. The figures are right, ` +
        "the latencies say nothing about a GPU.",
    }),
  );
  advice.hidden = false;
}

/** Say why there is no adapter. */
export function showNoAdapter(error: unknown): void {
  const { title, steps } = adviceFor(error);
  byId("adapter").hidden = true;
  const box = byId("advice");
  box.className = "box error";
  box.setAttribute("role", "alert");
  const list = element("ul", {}, ...steps.map((step) => element("li", { textContent: step })));
  box.replaceChildren(element("p", {}, element("strong", { textContent: title })), list);
  box.hidden = false;
}

function adviceFor(error: unknown): Advice {
  const code = error instanceof WorkerError ? error.code : undefined;
  if (code === "no-adapter") {
    return {
      title: "WebGPU is there, but the browser offers no GPU adapter.",
      steps: [...howTo(), "Then restart the browser and reload this page."],
    };
  }
  if (code !== "no-webgpu") {
    return {
      title: error instanceof Error ? error.message : String(error),
      steps: ["Reload this page."],
    };
  }
  if (!isSecureContext) {
    return {
      title: "Browsers show WebGPU only to secure pages.",
      steps: ["Open this page on https, or on localhost."],
    };
  }
  if ("gpu" in navigator) {
    return {
      title: "This browser has WebGPU, but not in workers.",
      steps: ["Update the browser, or use Chrome or Edge."],
    };
  }
  return {
    title: "This browser has no WebGPU.",
    steps: [
      "Chrome and Edge have it from 113, on Android from 121.",
      "Firefox has it from 141 on Windows and from 145 on macOS.",
      "Safari has it from 26.",
    ],
  };
}

const HARDWARE =
  "In Chrome or Edge open chrome://settings/system and turn on graphics acceleration.";

/** How to get an adapter, by the visitor's system. */
function howTo(): readonly string[] {
  const agent = navigator.userAgent;
  if (agent.includes("Android"))
    return ["Update Chrome and Android: Android 12 or newer is needed."];
  if (agent.includes("Windows")) return [HARDWARE, "Update the graphics driver."];
  if (agent.includes("Mac")) return [HARDWARE, "Update macOS: Metal comes with it."];
  return [
    HARDWARE,
    "On Linux also install the GPU's Vulkan driver and turn on chrome://flags/#enable-unsafe-webgpu.",
    "Without a GPU, start Chromium with --enable-unsafe-webgpu: it brings a software adapter.",
  ];
}

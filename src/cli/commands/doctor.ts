// doctor: can this machine do it, and does it calculate right?

import { requestDevice } from "../../node.ts";
import { selfTest } from "../../selfTest.ts";
import { adapterName, type Command } from "../context.ts";
import { facts, formatBytes } from "../table.ts";

/** The limits that decide which models fit. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
] as const;

export const doctor: Command = {
  name: "doctor",
  summary: "Show the adapter, its limits and the result of the self-test.",
  positionals: [],
  options: [],
  examples: ["webgpu-quant doctor", "webgpu-quant doctor --json"],
  async run() {
    using device = await requestDevice();
    const report = await selfTest(device);
    const features = [...device.gpu.features].sort();
    const limits = Object.fromEntries(LIMITS.map((name) => [name, device.gpu.limits[name]]));
    const { packedDot } = device.facts;
    const wrong = Object.entries(report.mismatches).filter(([, count]) => count > 0);
    const lines: [string, string][] = [
      ["adapter", adapterName(device.facts)],
      ["runtime", `Node ${process.versions.node}, ${process.platform} ${process.arch}`],
      ["packed dot", packedDot ? "yes" : "no (replaced by shifts)"],
      ["features", features.join(", ") || "none"],
      ...LIMITS.map((name): [string, string] => [
        name,
        name.endsWith("Size") ? formatBytes(device.gpu.limits[name]) : `${device.gpu.limits[name]}`,
      ]),
      ["self-test", `passed, ${report.rounding}, ${report.ms.toFixed(0)} ms`],
      ...wrong.map(([family, count]): [string, string] => [
        `  ${family}`,
        `${count} values differ`,
      ]),
    ];
    return {
      json: {
        adapter: device.facts,
        runtime: { node: process.versions.node, platform: process.platform, arch: process.arch },
        packedDot,
        features,
        limits,
        selfTest: report,
      },
      text: facts(lines),
    };
  },
};

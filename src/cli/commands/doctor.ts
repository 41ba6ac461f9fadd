// doctor: can this machine do it, and does it calculate right?

import { requestDevice, type AdapterFacts } from "../../node.ts";
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

/** What Dawn calls features that browsers hide behind a flag. */
const EXPERIMENTAL = ["enable-dawn-features=allow_unsafe_apis"];

/** Matrices of subgroups, a size a line, and for each refused one why. */
export function matrixLines({ matrices }: AdapterFacts): [string, string][] {
  if (!matrices) return [["matrices", "not offered"]];
  if (matrices.length === 0) return [["matrices", "offered, but none of int8"]];
  return matrices.flatMap(({ m, n, k, lanes, form, refused = {} }): [string, string][] => {
    const size = `${m}×${n}×${k}`;
    if (form) return [["matrices", `${size} passed: ${form.name}, ${lanes} lanes`]];
    const reasons = Object.entries(refused);
    return [
      ["matrices", `${size} failed the test and is not used`],
      ...reasons.map(([reading, reason]): [string, string] => [`  ${reading}`, reason]),
    ];
  });
}

export const doctor: Command = {
  name: "doctor",
  summary: "Show the adapter, its limits and the result of the self-test.",
  positionals: [],
  options: [
    { name: "experimental", help: "Ask for experimental features too: matrices of subgroups." },
  ],
  examples: ["webgpu-quant doctor", "webgpu-quant doctor --json"],
  async run(args) {
    const dawnFlags = args.has("experimental") ? EXPERIMENTAL : [];
    using device = await requestDevice({ dawnFlags });
    const report = await selfTest(device);
    const features = [...device.gpu.features].sort();
    const limits = Object.fromEntries(LIMITS.map((name) => [name, device.gpu.limits[name]]));
    const { packedDot } = device.facts;
    const wrong = Object.entries(report.mismatches).filter(([, count]) => count > 0);
    const lines: [string, string][] = [
      ["adapter", adapterName(device.facts)],
      ["runtime", `Node ${process.versions.node}, ${process.platform} ${process.arch}`],
      ["packed dot", packedDot ? "yes" : "no (replaced by shifts)"],
      ...matrixLines(device.facts),
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

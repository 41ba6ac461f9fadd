// Help texts, from the same data that parses the arguments.

import { COMMON, type OptionSpec } from "./arguments.ts";
import type { Command } from "./context.ts";

/** The list of commands. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    "Quantize neural networks to int8 and run them on WebGPU.",
    "",
    "Usage: webgpu-quant COMMAND …",
    "",
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "webgpu-quant COMMAND --help tells its options. --version prints the version.",
    "Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.",
  ].join("\n");
}

const flag = ({ name, value, multiple }: OptionSpec): string =>
  `--${name}${value === undefined ? "" : ` ${value}`}${multiple ? " …" : ""}`;

/** How to use one command. */
export function commandHelp({ name, summary, positionals, options, examples }: Command): string {
  const required = options.filter((option) => option.required).map(flag);
  const all = [...options, ...COMMON];
  const width = Math.max(...all.map((option) => flag(option).length));
  const rest = options.length > required.length ? ["[OPTIONS]"] : [];
  return [
    summary,
    "",
    `Usage: ${["webgpu-quant", name, ...positionals, ...required, ...rest].join(" ")}`,
    "",
    ...all.map((option) => `  ${flag(option).padEnd(width)}  ${option.help}`),
    "",
    "Examples:",
    ...examples.map((example) => `  ${example}`),
  ].join("\n");
}

// What doctor prints of matrices of subgroups, for adapters that no test has.

import { expect, it } from "vitest";
import { matrixLines } from "../../../src/cli/commands/doctor.ts";
import { facts } from "../../../src/cli/table.ts";
import { matrixForms, type MatrixFacts } from "../../../src/gpu/matrices.ts";

const adapter = {
  vendor: "nvidia",
  architecture: "",
  device: "",
  description: "",
  isFallback: false,
  packedDot: true,
};
const text = (matrices?: MatrixFacts[]) =>
  facts(matrixLines(matrices ? { ...adapter, matrices } : adapter));

it("says whether they are offered, and of which sizes which reading passed", () => {
  expect(text()).toMatchInlineSnapshot(`"matrices  not offered"`);
  expect(text([])).toMatchInlineSnapshot(`"matrices  offered, but none of int8"`);
  const [form] = matrixForms;
  const passed = { m: 16, n: 16, k: 32, lanes: 32, widest: 32, form: form! };
  const failed = {
    ...{ m: 8, n: 16, k: 32, lanes: 32, widest: 32 },
    refused: {
      "template, words, 32 lanes": "512 of 512 sums are wrong",
      "flag, bytes, 32 lanes": "error: no matching call to 'subgroupMatrixLoad'",
    },
  };
  expect(text([passed, failed])).toMatchInlineSnapshot(`
    "matrices                     16×16×32 passed: template, words, 32 lanes
    matrices                     8×16×32 failed the test and is not used
      template, words, 32 lanes  512 of 512 sums are wrong
      flag, bytes, 32 lanes      error: no matching call to 'subgroupMatrixLoad'"
  `);
});

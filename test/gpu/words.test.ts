// int64 and bool at the border of a session, and indices that only the device sees: what fits runs, and what
// does not is an error that names it.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import type { Device } from "../../src/gpu/device.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { Model } from "../../src/model.ts";
import { Session } from "../../src/session.ts";
import { float32, tensor } from "../../src/tensor/tensor.ts";
import { testDevice } from "../support/device.ts";
import { single } from "../support/cases.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => {
  expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
  device.dispose();
});

const long = (...values: (number | bigint)[]) =>
  tensor("int64", [values.length], BigInt64Array.from(values, BigInt));
const table = float32([3, 2], [0, 1, 10, 11, 20, 21]);

/** y = table[ids + shift]: an embedding whose indices are computed. */
function embedding(): Model<"float"> {
  const builder = new GraphBuilder();
  builder.input("ids", { dtype: "int64", shape: ["count"] });
  builder.constant("table", table);
  builder.constant("shift", tensor("int64", [], BigInt64Array.of(1n)));
  builder.add({ op: "Add", name: "next", inputs: ["ids", "shift"], outputs: ["at"] });
  builder.add({ op: "Gather", name: "emb", axis: 0, inputs: ["table", "at"], outputs: ["y"] });
  return new Model("float", builder.build("embedding", ["ids"], ["y"]), {});
}

describe("int64 and bool at the border", () => {
  it("int64 comes and goes as BigInt64Array, and may come as int32", async () => {
    const { graph } = single({ op: "Identity" }, [{ tensor: long(1, 2, 3) }]);
    using session = new Session(graph, device);
    const ends = long(-(2n ** 31n), 2n ** 31n - 1n, 0);
    expect((await session.run({ x0: ends }))["y0"]).toEqual(ends);
    const { y0 } = await session.run({ x0: tensor("int32", [3], Int32Array.of(4, -5, 6)) });
    expect(y0).toEqual(long(4, -5, 6));
  });

  it("an int64 that 32 bits do not hold is refused by name, index and value", async () => {
    const { graph } = single({ op: "Identity" }, [{ tensor: long(1, 2) }]);
    using session = new Session(graph, device);
    await expect(
      session.run({ x0: long(1, 2n ** 31n) }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: input "x0": int64 runs in 32 bits, −2147483648 … 2147483647; got 2147483648 at index 1. Clamp the values, or keep them out of the model.]`,
    );
    expect((await session.run({ x0: long(7, 8) }))["y0"]).toEqual(long(7, 8));
  });

  it("bool comes and goes as bytes, 1 for all that is not 0", async () => {
    const { graph } = single({ op: "Identity" }, [{ tensor: tensor("bool", [3]) }]);
    using session = new Session(graph, device);
    const { y0 } = await session.run({ x0: tensor("bool", [3], Uint8Array.of(0, 1, 255)) });
    expect(y0).toEqual(tensor("bool", [3], Uint8Array.of(0, 1, 1)));
  });
});

describe("an index out of range", () => {
  it("that is computed fails the run, and the next run is good again", async () => {
    using session = await compile(embedding(), device);
    const { y } = await session.run({ ids: long(1, -1, -2) });
    expect(y).toEqual(float32([3, 2], [20, 21, 0, 1, 20, 21]));
    await expect(session.run({ ids: long(0, 2, 7) })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: Gather "emb": indices must be in -3 … 2; got 8. Check the inputs that these come from: token numbers must be below the size of the vocabulary.]`,
    );
    await expect(session.run({ ids: long(-9, 0, 7) })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: Gather "emb": indices must be in -3 … 2; got -8 and 8. Check the inputs that these come from: token numbers must be below the size of the vocabulary.]`,
    );
    expect((await session.run({ ids: long(0) }))["y"]).toEqual(float32([1, 2], [10, 11]));
  });

  it("is found in plans that share their memory too", async () => {
    using session = await compile(embedding(), device, { bounds: { count: 4 } });
    for (const ids of [long(1, 0), long(-1, 0, 1, 1), long(1)]) {
      const { y } = await session.run({ ids });
      const rows = Array.from(ids.data, (id) => [10 * Number(id) + 10, 10 * Number(id) + 11]);
      expect(y).toEqual(float32([ids.shape[0]!, 2], rows.flat()));
      await expect(session.run({ ids: long(2) })).rejects.toThrow(
        "indices must be in -3 … 2; got 3",
      );
    }
  });
});

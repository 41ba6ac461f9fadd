// models: where weights may come from, and what is said when they do not fit.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  DownloadError,
  InputError,
  load,
  models,
  save,
  type Model,
  WebGpuQuantError,
  WeightsError,
} from "../../../src/index.ts";
import { tensorsOfStateDict, writeSafetensors } from "../../../src/formats/safetensors/index.ts";
import { parametersOf } from "../../../src/models/architectures.ts";
import { float32, sizeOf } from "../../../src/tensor/tensor.ts";
import { quantizedState, torchResults } from "../../support/torchModels.ts";

async function errorOf(promise: Promise<unknown>): Promise<WebGpuQuantError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof WebGpuQuantError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const state = new Map(
  [...parametersOf("cifar_resnet20")].map(([name, shape]) => [
    name,
    { tensor: float32(shape, new Float32Array(sizeOf(shape)).fill(0.5)) },
  ]),
);
const file = writeSafetensors(tensorsOfStateDict(state));
const hash = createHash("sha256").update(file).digest("hex").slice(0, 8);
const url = `https://example.org/resnet20-${hash}.safetensors`;

/** A server with one file; `asked` are the addresses it was asked for. */
function server(bytes: Uint8Array = file, status = 200) {
  const asked: string[] = [];
  const fetch = (address: string) => {
    asked.push(address);
    return Promise.resolve(
      new Response(new Uint8Array(bytes), {
        status,
        headers: { "content-length": String(bytes.length) },
      }),
    );
  };
  return { asked, fetch };
}

/** The Cache API, as far as it is used. */
function cacheStorage() {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  const cache = {
    match: (key: string) =>
      Promise.resolve(kept.has(key) ? new Response(kept.get(key)) : undefined),
    put: async (key: string, response: Response) =>
      void kept.set(key, new Uint8Array(await response.arrayBuffer())),
    delete: (key: string) => Promise.resolve(kept.delete(key)),
  };
  return { kept, caches: { open: () => Promise.resolve(cache as unknown as Cache) } };
}

describe("weights", () => {
  it.each<[string, models.ModelOptions["weights"]]>([
    ["a state dict", state],
    ["bytes", file],
    ["a Blob", new Blob([new Uint8Array(file)])],
    ["a Response", new Response(new Uint8Array(file))],
  ])("may be %s", async (_, weights) => {
    const model = await models.cifarResnet({ depth: 20, weights });
    expect(model.stage).toBe("float");
    expect(model.inputs).toEqual({ images: { dtype: "float32", shape: ["batch", 3, 32, 32] } });
    expect(model.outputs).toEqual({ logits: { dtype: "float32", shape: ["batch", 10] } });
  });

  it("may have the prefixes of training scripts", async () => {
    const wrapped = new Map([...state].map(([name, entry]) => [`module.${name}`, entry]));
    const model = await models.cifarResnet({ depth: 20, weights: wrapped });
    expect(model.graph.nodes.length).toBeGreaterThan(60);
  });

  it("that are quantized give a quantized model, unasked", async () => {
    const results = torchResults("shufflenet_v2_x0_5");
    const weights = quantizedState("shufflenet_v2_x0_5", results, "fbgemm");
    const model = await models.shufflenetV2({ width: 0.5, weights, size: results.size });
    expect(model.stage).toBe("quantized");
    const bytes = writeSafetensors(tensorsOfStateDict(weights));
    const again = await models.shufflenetV2({ width: 0.5, weights: bytes, size: results.size });
    expect(again.toString()).toBe(model.toString());
  });

  it.each(["fbgemm", "qnnpack"] as const)(
    "of %s survive a QDQ file, in integers",
    async (backend) => {
      const results = torchResults("shufflenet_v2_x0_5");
      const weights = quantizedState("shufflenet_v2_x0_5", results, backend);
      const { size } = results;
      const model = await models.shufflenetV2({
        width: 0.5,
        weights,
        size,
        backend,
        quantize: true,
      });
      const again = await load(save(model));
      const float = again.graph.nodes.filter(({ outputs: [name = ""] }) => {
        return again.graph.values.get(name)?.quant === undefined;
      });
      expect(again.stage).toBe("quantized");
      expect(float.map(({ op }) => op)).toEqual(["Dequantize"]);
      const count = (of: Model, op: string) =>
        of.graph.nodes.filter((node) => node.op === op).length;
      for (const op of ["Conv", "Gemm", "Concat", "MaxPool", "ReduceMean"]) {
        expect(count(again, op)).toBe(count(model, op));
      }
    },
  );

  it("that do not fit are one error that lists all of it", async () => {
    const wrong = new Map(state);
    wrong.delete("bn1.running_var");
    wrong.set("conv1.weight", { tensor: float32([16, 3, 1, 1], new Float32Array(48)) });
    wrong.set("fc.bias", { tensor: float32([1], [0]) });
    const error = await errorOf(models.cifarResnet({ depth: 20, weights: wrong }));
    expect(error).toBeInstanceOf(WeightsError);
    expect(error.message).toMatchInlineSnapshot(`
      "cifar_resnet20: the weights do not fit the architecture:
        1 missing:
          bn1.running_var
        1 misshapen:
          conv1.weight: must have shape [16, 3, 3, 3]; got [16, 3, 1, 1]
        1 unexpected:
          fc.bias
      Check that the file belongs to this architecture, and whether it is quantized (quantize)."
    `);
  });

  it("that are float do not pass for quantized ones", async () => {
    const error = await errorOf(models.resnet18({ weights: state, quantize: true }));
    expect((error as WeightsError).missing).toContain("quant.scale");
  });

  it("of no known name are refused with the known ones", async () => {
    const error = await errorOf(models.resnet18({ weights: "IMAGENET1K_V3" }));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatchInlineSnapshot(
      `"resnet18: weights must be a URL or a known name; got "IMAGENET1K_V3". Known are ResNet18_Weights.IMAGENET1K_V1, ResNet18_QuantizedWeights.IMAGENET1K_FBGEMM_V1."`,
    );
  });

  it("sizes below what the strides leave something of are refused", async () => {
    const error = await errorOf(models.inceptionV3({ weights: state, size: 64 }));
    expect(error.message).toMatchInlineSnapshot(
      `"inception_v3: size must be integers from 75 pixels; got 64 × 64. Enlarge the pictures."`,
    );
  });
});

describe("downloads", () => {
  it("report progress, and are kept", async () => {
    const { asked, fetch } = server();
    const { kept, caches } = cacheStorage();
    const seen: { loaded: number; total?: number }[] = [];
    const onProgress = (progress: { loaded: number; total?: number }) => void seen.push(progress);
    const options = { depth: 20, weights: url, fetch, caches, onProgress } as const;
    await models.cifarResnet(options);
    expect(seen.at(-1)).toEqual({ loaded: file.length, total: file.length });
    await models.cifarResnet(options);
    expect(asked).toEqual([url]);
    expect([...kept.keys()]).toEqual([url]);
  });

  it("replace a kept copy that is damaged", async () => {
    const { asked, fetch } = server();
    const { kept, caches } = cacheStorage();
    kept.set(url, new Uint8Array(7));
    await models.cifarResnet({ depth: 20, weights: url, fetch, caches });
    expect(asked).toEqual([url]);
    expect(kept.get(url)?.length).toBe(file.length);
  });

  it("with another hash than the name's are refused, and not kept", async () => {
    const { fetch } = server(new Uint8Array(100));
    const { kept, caches } = cacheStorage();
    const bad = "https://example.org/resnet20-00c0ffee.pth";
    const error = await errorOf(models.cifarResnet({ depth: 20, weights: bad, fetch, caches }));
    expect(error).toBeInstanceOf(DownloadError);
    expect(error.message).toMatchInlineSnapshot(
      `"download https://example.org/resnet20-00c0ffee.pth: the sha256 must begin with 00c0ffee, as the name says; got cd00e292. Download it again; if it stays so, do not use the file."`,
    );
    expect(kept.size).toBe(0);
  });

  it("without a hash in the name are not kept: they may change; a date is no hash", async () => {
    for (const name of ["resnet20.safetensors", "resnet20_20240115.safetensors"]) {
      const weights = `https://example.org/${name}`;
      const { fetch } = server();
      const { kept, caches } = cacheStorage();
      await models.cifarResnet({ depth: 20, weights, fetch, caches });
      expect(kept.size).toBe(0);
    }
  });

  it("are not lost where the cache refuses them", async () => {
    const { fetch } = server();
    const refuse = () => Promise.reject(new DOMException("full", "QuotaExceededError"));
    const cache = { match: refuse, put: refuse, delete: refuse } as unknown as Cache;
    const caches = { open: () => Promise.resolve(cache) };
    const model = await models.cifarResnet({ depth: 20, weights: url, fetch, caches });
    expect(model.stage).toBe("float");
  });

  it("that reach no server name the address and the way out", async () => {
    const fetch = () => Promise.reject(new TypeError("Failed to fetch"));
    const options = { depth: 20, weights: url, fetch, caches: null } as const;
    const error = await errorOf(models.cifarResnet(options));
    expect(error).toBeInstanceOf(DownloadError);
    expect(error.message.replace(url, "URL")).toMatchInlineSnapshot(
      `"download URL: the download failed: Failed to fetch. Check the connection; in a page the server must allow cross-origin requests (CORS), or fetch the file yourself and pass its bytes."`,
    );
  });

  it("that fail say what the server said", async () => {
    const { fetch } = server(file, 404);
    const error = await errorOf(
      models.cifarResnet({ depth: 20, weights: url, fetch, caches: null }),
    );
    expect(error.message).toContain("the server answered HTTP 404");
  });

  it("stop at the signal", async () => {
    const { asked, fetch } = server();
    const signal = AbortSignal.abort();
    const promise = models.cifarResnet({ depth: 20, weights: url, fetch, caches: null, signal });
    await expect(promise).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(asked).toEqual([]);
  });

  it("of a known name go to its address", async () => {
    const { asked, fetch } = server(file, 500);
    await errorOf(models.mobilenetV2({ weights: "IMAGENET1K_QNNPACK_V1", fetch, caches: null }));
    expect(asked).toEqual([
      "https://download.pytorch.org/models/quantized/mobilenet_v2_qnnpack_37f702c5.pth",
    ]);
  });
});

describe("weightFiles", () => {
  it("names each file once, with the hash that is checked", () => {
    expect(new Set(models.weightFiles.map(({ name }) => name)).size).toBe(
      models.weightFiles.length,
    );
    for (const { url: address } of models.weightFiles) {
      expect(address).toMatch(/[-_][0-9a-f]{8,10}\.pth$/);
    }
  });

  it("gives torchvision's figures and transform of one", () => {
    const name = "Inception_V3_QuantizedWeights.IMAGENET1K_FBGEMM_V1";
    expect(models.weightFiles.find((file) => file.name === name)).toMatchInlineSnapshot(`
      {
        "architecture": "inception_v3",
        "backend": "fbgemm",
        "megabytes": 23.146,
        "name": "Inception_V3_QuantizedWeights.IMAGENET1K_FBGEMM_V1",
        "top1": 77.176,
        "top5": 93.354,
        "transform": {
          "crop": 299,
          "interpolation": "bilinear",
          "mean": [
            0.485,
            0.456,
            0.406,
          ],
          "resize": 342,
          "std": [
            0.229,
            0.224,
            0.225,
          ],
        },
        "url": "https://download.pytorch.org/models/quantized/inception_v3_google_fbgemm-a2837893.pth",
      }
    `);
  });
});

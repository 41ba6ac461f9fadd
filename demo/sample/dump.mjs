// Writes generated pictures to raw files for train.py, which cannot run TypeScript.
// One idea: the bundler that builds the demo page bundles pictures.ts, and the result is imported as is.
//
//   node demo/sample/dump.mjs FOLDER train=24000 calibration=1000 test=2000
//
// FOLDER gets, for each split, SPLIT.u8: (count, height, width, 3) bytes, and SPLIT.label.u8: (count) bytes,
// and pictures.json: classNames, width, height and the counts.
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

const [folder, ...wanted] = process.argv.slice(2);
const counts = wanted.map((text) => /^(train|calibration|test)=(\d+)$/.exec(text));
if (folder === undefined || counts.length === 0 || counts.includes(null)) {
  console.error("usage: node demo/sample/dump.mjs FOLDER train=24000 calibration=1000 test=2000");
  process.exit(2);
}

await mkdir(folder, { recursive: true });
const bundle = resolve(folder, "bundle");
await build({
  configFile: false,
  logLevel: "warn",
  build: {
    outDir: bundle,
    emptyOutDir: true,
    minify: false,
    lib: {
      entry: fileURLToPath(new URL("pictures.ts", import.meta.url)),
      formats: ["es"],
      fileName: () => "pictures.mjs",
    },
  },
});
const { samplePicture, classNames } = await import(
  pathToFileURL(join(bundle, "pictures.mjs")).href
);
await rm(bundle, { recursive: true });

const { width, height } = samplePicture(0, "test");
const facts = { classNames, width, height };
for (const [, split, text] of counts) {
  const count = Number(text);
  const pictures = new Uint8Array(count * width * height * 3);
  const labels = new Uint8Array(count);
  const start = performance.now();
  for (let index = 0; index < count; index++) {
    const { label, data } = samplePicture(index, split);
    pictures.set(data, index * data.length);
    labels[index] = label;
  }
  const perPicture = (performance.now() - start) / count;
  await writeFile(join(folder, `${split}.u8`), pictures);
  await writeFile(join(folder, `${split}.label.u8`), labels);
  console.log(`${split}: ${count} pictures, ${perPicture.toFixed(3)} ms each`);
  facts[split] = count;
}
await writeFile(join(folder, "pictures.json"), JSON.stringify(facts, null, 2) + "\n");

// Writes src/gpu/shaders.gen.ts: what each shader declares, so that nothing in src repeats it.
// `npm run shaders` after editing a .wgsl file; a test regenerates and compares.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
// The bare name resolves to an empty CommonJS build under Node.
import { ResourceType, WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";

// The library's own expander, without its types: Node 20 does not strip them.
const template = readFileSync(new URL("../src/gpu/template.ts", import.meta.url), "utf8");
const { outputText } = ts.transpileModule(template, {
  compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
});
const { expand } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);

const root = new URL("../shaders/", import.meta.url);
const read = (file) => readFileSync(new URL(file, root), "utf8");
const camel = (name) => name.replace(/[-_/](\w)/g, (_, letter) => letter.toUpperCase());
const nameOf = (file) => camel(file.replace(/\.wgsl$/, ""));

const DOT4 = "lib/dot4.wgsl";
const DOT4_UNPACKED = "lib/dot4_unpacked.wgsl";
const MATRIX = {
  emulated: "lib/matrix_emulated.wgsl",
  template: "lib/matrix.wgsl",
  flag: "lib/matrix_flag.wgsl",
};

/** Directives such as `requires` must stand before every declaration of the joined text. */
const withoutDirectives = (code) => code.replace(/^(requires|enable) .*;$/gm, "");

/** Parse `file` after the files its `// use` lines name; WGSL does not care about order. */
export function reflectShader(file) {
  const code = read(file);
  const uses = [...code.matchAll(/^\/\/ use (\S+)$/gm)].map((match) => match[1]);
  const files = [...uses, file];
  const sizes = [...code.matchAll(/^\/\/ tile (\w+) = (\d+)/gm)];
  const tile = Object.fromEntries(sizes.map(([, name, size]) => [name, Number(size)]));
  // A step may ask for the form of the dot product that its device does not prefer.
  if (uses.includes(DOT4)) tile.PACKED_DOT = 1;
  // Which of the forms of a subgroup's matrices, in the order of MATRIX.
  if (uses.includes(MATRIX.emulated)) tile.MATRIX_FORM = 0;
  const joined = expand(files.map(read).map(withoutDirectives).join("\n"), tile);
  let module;
  try {
    module = new WgslReflect(joined);
  } catch (error) {
    // The parser takes less than WGSL: "block" as a name, for one, stops it.
    throw new Error(`${file}: ${error.message}`);
  }
  const bindings = module
    .getBindGroups()[0]
    .map((variable) => [variable.name, describe(variable, file)]);
  return {
    files,
    label: file.replace(/\.wgsl$/, ""),
    tile,
    overrides: Object.fromEntries(module.overrides.map(({ name, type }) => [name, type.name])),
    bindings: Object.fromEntries(bindings),
  };
}

function describe({ name, binding, resourceType, access, size, members, format }, file) {
  if (resourceType !== ResourceType.Uniform) {
    return {
      binding,
      type: access === "read" ? "read-only-storage" : "storage",
      element: format.getTypeName(),
    };
  }
  for (const member of members) {
    // Anything wider is laid out differently where uniform_buffer_standard_layout is missing.
    if (!["f32", "i32", "u32"].includes(member.type.name)) {
      throw new Error(
        `${file}: ${name}.${member.name} is ${member.type.name}; a uniform struct holds f32, i32 and u32 only`,
      );
    }
  }
  const fields = members.map((member) => [
    member.name,
    { offset: member.offset, type: member.type.name },
  ]);
  return { binding, type: "uniform", size, fields: Object.fromEntries(fields) };
}

export function generate() {
  const files = readdirSync(root)
    .filter((file) => file.endsWith(".wgsl"))
    .sort();
  const shaders = files.map(reflectShader);
  const swapped = [DOT4_UNPACKED, ...Object.values(MATRIX)];
  const imports = [...new Set([...shaders.flatMap(({ files }) => files), ...swapped])].sort();
  const json = (value) =>
    JSON.stringify(value)
      .replace(/"(\w+)":/g, "$1: ")
      .replaceAll(",", ", ");
  const rows = (record) =>
    Object.entries(record)
      .map(([key, value]) => `    ${key}: ${json(value)},`)
      .join("\n");
  return [
    "// Generated from shaders/*.wgsl by `npm run shaders`. Do not edit.",
    ...imports.map((file) => `import ${nameOf(file)}Wgsl from "../../shaders/${file}?raw";`),
    'import type { Shader } from "./shader.ts";',
    ...shaders.map(
      ({ files, label, tile, overrides, bindings }) => `
const ${camel(label)} = {
  label: "${label}",
  parts: [${files.map((file) => nameOf(file) + "Wgsl").join(", ")}],
  tile: ${json(tile)},
  overrides: ${json(overrides)},
  bindings: {
${rows(bindings)}
  },
} as const satisfies Shader;`,
    ),
    "",
    "/** Every shader by its name. */",
    `export const shaders = { ${shaders.map(({ label }) => camel(label)).join(", ")} } as const;`,
    "",
    "/** The joined part that differs where the language feature is missing. */",
    "export const dot4 = { packed: libDot4Wgsl, unpacked: libDot4UnpackedWgsl } as const;",
    "",
    "/** The joined part that MATRIX_FORM chooses: its index here. */",
    `export const matrixForms = [${Object.values(MATRIX)
      .map((file) => `${nameOf(file)}Wgsl`)
      .join(", ")}] as const;`,
    "",
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    writeFileSync(new URL("../src/gpu/shaders.gen.ts", import.meta.url), generate());
  } catch (error) {
    console.error(error.message); // not the stack: the parser is one very long line
    process.exit(1);
  }
}

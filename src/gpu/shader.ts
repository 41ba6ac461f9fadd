// What a .wgsl file declares, as data: the build reads it out of the shader (`npm run shaders`), so a
// wrong binding, field or override name in a plan does not compile.

export type Scalar = "f32" | "i32" | "u32" | "bool";

export interface Shader {
  readonly label: string;
  /** The `// use` files, then the shader itself. */
  readonly parts: readonly string[];
  /** Sizes that the text is expanded with (template.ts), each with its default. */
  readonly tile: Readonly<Record<string, number>>;
  readonly overrides: Readonly<Record<string, Scalar>>;
  readonly bindings: Readonly<Record<string, Binding>>;
}

export type Binding = UniformBinding | StorageBinding;

export interface UniformBinding {
  readonly binding: number;
  readonly type: "uniform";
  /** Bytes. */
  readonly size: number;
  readonly fields: Readonly<Record<string, { readonly offset: number; readonly type: Scalar }>>;
}

export interface StorageBinding {
  readonly binding: number;
  readonly type: "storage" | "read-only-storage";
  readonly element: string;
}

const write = {
  f32: (view: DataView, offset: number, value: number) => view.setFloat32(offset, value, true),
  i32: (view: DataView, offset: number, value: number) => view.setInt32(offset, value, true),
  u32: (view: DataView, offset: number, value: number) => view.setUint32(offset, value, true),
  bool: (view: DataView, offset: number, value: number) => view.setUint32(offset, value, true),
} satisfies Record<Scalar, unknown>;

/** Lay `values` out as the shader's uniform struct declares them. */
export function packUniform(
  binding: UniformBinding,
  values: Readonly<Record<string, number>>,
): ArrayBuffer {
  const buffer = new ArrayBuffer(binding.size);
  const view = new DataView(buffer);
  for (const [name, { offset, type }] of Object.entries(binding.fields)) {
    const value = values[name];
    if (value === undefined) throw new Error(`uniform "${name}" is missing; please report.`);
    write[type](view, offset, value);
  }
  return buffer;
}

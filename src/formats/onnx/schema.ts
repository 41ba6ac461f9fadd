// What the standard says of an op in an opset: how many inputs and outputs it has, of which types, and its
// attributes. Read once from the table that test/fixtures/make_schema.py makes of ONNX's own definitions.

import type { AttributeProto, NodeProto } from "./proto.ts";
import { letters, schemas } from "./schema.gen.ts";

/** One input or output. */
export interface Port {
  /** The name of a type variable: ports of one name have one type. Undefined where its type is its own. */
  readonly variable: string | undefined;
  /** Codes of TensorProto.DataType. */
  readonly types: ReadonlySet<number>;
  readonly isOptional: boolean;
  /** The last one, which stands for any number of them. */
  readonly repeats: boolean;
}

export interface AttributeRule {
  readonly kind: AttributeProto["kind"];
  readonly isRequired: boolean;
}

export interface Schema {
  /** The opset that it holds from. */
  readonly since: number;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly attributes: ReadonlyMap<string, AttributeRule>;
}

const kinds = new Map<string, AttributeProto["kind"]>([
  ["f", "float"],
  ["i", "int"],
  ["s", "string"],
  ["t", "tensor"],
  ["g", "graph"],
  ["F", "floats"],
  ["I", "ints"],
  ["S", "strings"],
  ["o", "other"],
]);

const codes = (text: string) => new Set([...text].map((letter) => letters.indexOf(letter)));

const split = (text: string) => (text === "-" ? [] : text.split(","));

function readSchema(line: string): readonly [string, Schema] {
  const [name = "", since, inputs = "-", outputs = "-", attributes = "-", ...types] =
    line.split(" ");
  const variables = new Map(
    types.map((type) => {
      const [variable = "", allowed = ""] = type.split("=");
      return [variable, codes(allowed)] as const;
    }),
  );
  const ports = (text: string) =>
    split(text).map((port): Port => {
      const option = /[?*+]$/.exec(port)?.[0] ?? "";
      const type = option === "" ? port : port.slice(0, -1);
      const own = variables.get(type);
      return {
        variable: own === undefined || option === "+" ? undefined : type,
        types: own ?? codes(type.slice(1)),
        isOptional: option === "?",
        repeats: option === "*" || option === "+",
      };
    });
  const rules = split(attributes).map((text) => {
    const [key = "", kind = ""] = text.split(":");
    const rule = { kind: kinds.get(kind[0] ?? "") ?? "other", isRequired: kind.endsWith("!") };
    return [key, rule] as const;
  });
  const read = { inputs: ports(inputs), outputs: ports(outputs), attributes: new Map(rules) };
  return [name, { since: Number(since), ...read }];
}

let table: Map<string, Schema[]> | undefined;

function readAll(): Map<string, Schema[]> {
  const all = new Map<string, Schema[]>();
  for (const line of schemas.split("\n")) {
    const [name, schema] = readSchema(line);
    const known = all.get(name);
    if (known) known.push(schema);
    else all.set(name, [schema]);
  }
  return all;
}

/** The schema of `node` in `opset` of the default domain; "later" where the op comes with a later one; undefined
 *  for ops that are not imported. */
export function schemaOf(
  { domain, opType }: Pick<NodeProto, "domain" | "opType">,
  opset: number,
): Schema | "later" | undefined {
  const isOwn = domain === "" || domain === "ai.onnx";
  const versions = (table ??= readAll()).get(isOwn ? opType : `${domain}.${opType}`);
  return versions && (versions.findLast(({ since }) => since <= (isOwn ? opset : 1)) ?? "later");
}

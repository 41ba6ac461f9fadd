// The trees of the Python subset that TorchScript archives are printed in, as far as a `forward` needs
// it. What is beyond it (loops, classes, slices) is a Refused statement: an error only when it is run.

export interface At {
  /** Of the file, from 1. */
  readonly line: number;
}

export type Expr = At &
  (
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "literal"; readonly value: number | string | boolean | null }
    | { readonly kind: "attribute"; readonly of: Expr; readonly name: string }
    | {
        readonly kind: "call";
        readonly callee: Expr;
        readonly args: readonly Expr[];
        readonly named: ReadonlyMap<string, Expr>;
      }
    | { readonly kind: "index"; readonly of: Expr; readonly index: Expr }
    | { readonly kind: "sequence"; readonly items: readonly Expr[] }
    | { readonly kind: "negative"; readonly of: Expr }
    | { readonly kind: "choose"; readonly test: Expr; readonly yes: Expr; readonly no: Expr }
  );

export type Statement = At &
  (
    | { readonly kind: "assign"; readonly target: string; readonly value: Expr }
    | { readonly kind: "unpack"; readonly targets: readonly string[]; readonly value: Expr }
    | {
        readonly kind: "setAttribute";
        readonly of: Expr;
        readonly name: string;
        readonly value: Expr;
      }
    | { readonly kind: "evaluate"; readonly value: Expr }
    | { readonly kind: "return"; readonly value: Expr | undefined }
    | { readonly kind: "pass" }
    | {
        readonly kind: "if";
        readonly test: Expr;
        readonly yes: readonly Statement[];
        readonly no: readonly Statement[];
      }
    | { readonly kind: "refused"; readonly what: string }
  );

export interface Parameter {
  readonly name: string;
  readonly value: Expr | undefined;
}

export interface FunctionTree extends At {
  readonly name: string;
  /** Of the archive: code/__torch__/…. */
  readonly file: string;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
}

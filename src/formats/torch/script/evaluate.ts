// Runs a `forward` once, on names instead of numbers: what is known (sizes, flags, lists) is computed,
// what depends on the input becomes nodes. So submodules are inlined and decisions by constants are
// taken; a decision by data, or a loop, ends in an error that names the line.

import { UnsupportedError } from "../../../errors.ts";
import type { ScriptArchive } from "../container.ts";
import { damaged, TORCH_LIMITS } from "../limits.ts";
import {
  kindOf,
  List,
  PyFloat,
  ScriptObject,
  StridedTensor,
  Tuple,
  type Pickled,
  type Storage,
} from "../pickled.ts";
import type { TensorReader } from "../tensors.ts";
import { Call } from "./call.ts";
import { Library } from "./library.ts";
import { findOp } from "./ops/table.ts";
import { isPacked, unpack } from "./packed.ts";
import type { Expr, FunctionTree, Statement } from "./syntax.ts";
import type { Translator } from "./translator.ts";
import { Callable, Module, Packed, Traced, type Thing } from "./values.ts";

/** One call of a function of the archive. */
interface Frame {
  readonly tree: FunctionTree;
  readonly names: Map<string, Thing>;
  /** Of the module whose method runs. */
  readonly path: string;
}

const MISSING = "this op is not supported";

/** Roots of dotted names that are no variables. */
const ROOTS = new Set(["torch", "ops", "__torch__", "CONSTANTS"]);
const BUILTINS = new Set(["annotate", "unchecked_cast", "uninitialized", "int", "float", "bool"]);
const TYPED = new Set(["annotate", "unchecked_cast", "uninitialized"]);

export class Evaluator {
  readonly #library: Library;
  readonly #translator: Translator;
  readonly #constants: readonly Pickled[];
  readonly #archive: ScriptArchive;
  readonly #attributes = new Map<ScriptObject, Map<string, Thing>>();
  readonly #packed = new Map<ScriptObject, Packed>();
  readonly #restoring = new Set<ScriptObject>();
  readonly #readers: Map<Storage, TensorReader>;
  #steps = 0;
  #calls = 0;
  /** Expressions inside expressions, those of called functions included. */
  #depth = 0;

  /** `readers` learns which of the archive's two tensor files each storage lies in. */
  constructor(archive: ScriptArchive, translator: Translator, readers: Map<Storage, TensorReader>) {
    this.#readers = readers;
    this.#archive = archive;
    this.#library = new Library(archive.zip, archive.root);
    this.#translator = translator;
    const { object } = archive.constants;
    this.#constants = object instanceof Tuple || object instanceof List ? object.items : [];
  }

  /** Method `name` of the archive's object at the root. */
  method(root: ScriptObject, name: string): Callable | undefined {
    const tree = this.#library.method(root.type, name);
    return tree && new Callable(name, tree, new Module(root, ""));
  }

  /** The result of calling `callee`. Throws UnsupportedError, FormatError, InputError. */
  call(callee: Callable, args: readonly Thing[], named: ReadonlyMap<string, Thing>): Thing {
    const { tree, self } = callee;
    if (!tree) throw damaged(`"${callee.name}" is no function of the archive`);
    this.#calls++;
    if (this.#calls > TORCH_LIMITS.calls) throw this.#refuse(tree, tree.line, "calls", "too deep");
    const names = new Map<string, Thing>();
    const given = self ? [self, ...args] : args;
    tree.parameters.forEach(({ name, value }, index) => {
      const found = index < given.length ? given[index] : named.get(name);
      if (found !== undefined) names.set(name, found);
      else if (value) names.set(name, this.#evaluate(value, { tree, names, path: "" }));
    });
    if (given.length > tree.parameters.length) {
      throw damaged(`${tree.file}, line ${tree.line}: "${tree.name}" is called with too much`);
    }
    const result = this.#run(tree.body, { tree, names, path: self?.path ?? "" });
    this.#calls--;
    return result?.value ?? null;
  }

  #refuse(tree: FunctionTree, line: number, op: string, problem: string): UnsupportedError {
    const where = `${tree.file}, line ${line}`;
    return new UnsupportedError(
      "load",
      [{ op, node: tree.name, problem: `${problem} (${where})` }],
      "Trace the model (torch.jit.trace) instead of scripting it, or export it to ONNX.",
    );
  }

  /** `first`, and every other op of the archive's code that is not there, so that one error names them all. */
  #refuseOps(first: UnsupportedError): UnsupportedError {
    const [own] = first.nodes;
    const others = [...this.#library.calls()].flatMap(([op, { file, line }]) =>
      op === own?.op || findOp(op)
        ? []
        : [{ op, node: "code", problem: `${MISSING} (${file}, line ${line})` }],
    );
    return new UnsupportedError(
      "load",
      [...first.nodes, ...others],
      "Export the model to ONNX instead, or change the model so that it needs no such op.",
    );
  }

  #step({ tree }: Frame, line: number): void {
    this.#steps++;
    if (this.#steps <= TORCH_LIMITS.steps) return;
    throw this.#refuse(tree, line, "code", `it takes more than ${TORCH_LIMITS.steps} steps`);
  }

  // — statements ———————————————————————————————————————————————————————————————————————————————————

  /** Runs statements; the value of a `return`, where one is reached. */
  #run(body: readonly Statement[], frame: Frame): { value: Thing } | undefined {
    for (const statement of body) {
      this.#step(frame, statement.line);
      const result = this.#statement(statement, frame);
      if (result) return result;
    }
    return undefined;
  }

  #statement(statement: Statement, frame: Frame): { value: Thing } | undefined {
    const { line } = statement;
    switch (statement.kind) {
      case "assign":
        frame.names.set(statement.target, this.#evaluate(statement.value, frame));
        return undefined;
      case "unpack":
        this.#unpack(statement.targets, this.#evaluate(statement.value, frame), frame, line);
        return undefined;
      case "setAttribute": {
        const target = this.#evaluate(statement.of, frame);
        if (!(target instanceof Module) || !this.#restoring.has(target.object)) {
          throw this.#refuse(frame.tree, line, "assignment", "the model changes its own state");
        }
        const value = this.#evaluate(statement.value, frame);
        this.#attributesOf(target).set(statement.name, value);
        return undefined;
      }
      case "evaluate":
        this.#evaluate(statement.value, frame);
        return undefined;
      case "return":
        return { value: statement.value ? this.#evaluate(statement.value, frame) : null };
      case "pass":
        return undefined;
      case "if": {
        const chosen = this.#decide(statement.test, frame);
        return this.#run(chosen ? statement.yes : statement.no, frame);
      }
      case "refused":
        throw this.#refuse(
          frame.tree,
          line,
          statement.what,
          "only straight lines of calls and decisions by constants are supported",
        );
      default:
        return statement satisfies never;
    }
  }

  #decide(test: Expr, frame: Frame): boolean {
    const value = this.#evaluate(test, frame);
    if (typeof value === "boolean") return value;
    if (typeof value === "number") return value !== 0;
    throw this.#refuse(frame.tree, test.line, "if", "the model decides by its data");
  }

  #unpack(targets: readonly string[], value: Thing, frame: Frame, line: number): void {
    const items = Array.isArray(value) ? (value as readonly Thing[]) : [];
    if (items.length !== targets.length) {
      const problem = `${targets.length} names take ${items.length} values`;
      throw this.#refuse(frame.tree, line, "assignment", problem);
    }
    targets.forEach((name, index) => frame.names.set(name, items[index] ?? null));
  }

  // — expressions ——————————————————————————————————————————————————————————————————————————————————

  #evaluate(expr: Expr, frame: Frame): Thing {
    this.#step(frame, expr.line);
    if (++this.#depth > TORCH_LIMITS.depth) {
      throw this.#refuse(
        frame.tree,
        expr.line,
        "code",
        "expressions and calls are nested too deep",
      );
    }
    const value = this.#valueOf(expr, frame);
    this.#depth--;
    return value;
  }

  #valueOf(expr: Expr, frame: Frame): Thing {
    switch (expr.kind) {
      case "literal":
        return expr.value;
      case "name":
        return this.#name(expr.name, expr.line, frame);
      case "sequence":
        return expr.items.map((item) => this.#evaluate(item, frame));
      case "negative": {
        const value = this.#evaluate(expr.of, frame);
        if (typeof value === "number") return -value;
        throw this.#refuse(frame.tree, expr.line, "-", "only numbers are negated");
      }
      case "choose":
        return this.#evaluate(this.#decide(expr.test, frame) ? expr.yes : expr.no, frame);
      case "index":
        return this.#index(expr, frame);
      case "attribute":
        return this.#attribute(expr, frame);
      case "call":
        return this.#callOf(expr, frame);
      default:
        return expr satisfies never;
    }
  }

  #name(name: string, line: number, frame: Frame): Thing {
    const value = frame.names.get(name);
    if (value !== undefined) return value;
    if (BUILTINS.has(name)) return new Callable(name);
    throw this.#refuse(frame.tree, line, name, "this name is not defined");
  }

  #index(expr: Extract<Expr, { kind: "index" }>, frame: Frame): Thing {
    const list = this.#evaluate(expr.of, frame);
    const index = this.#evaluate(expr.index, frame);
    if (Array.isArray(list) && typeof index === "number") {
      const item = (list as readonly Thing[]).at(index);
      if (item !== undefined) return item;
    }
    throw this.#refuse(frame.tree, expr.line, "[]", "only lists are indexed, within their length");
  }

  /** "torch.nn.functional.pad" of a chain of attributes, undefined where it starts at a variable. */
  #dotted(expr: Expr, frame: Frame): string | undefined {
    const parts: string[] = [];
    let at: Expr = expr;
    for (; at.kind === "attribute"; at = at.of) parts.push(at.name);
    if (at.kind !== "name" || !ROOTS.has(at.name) || frame.names.has(at.name)) return undefined;
    return [at.name, ...parts.reverse()].join(".");
  }

  #attribute(expr: Extract<Expr, { kind: "attribute" }>, frame: Frame): Thing {
    const dotted = this.#dotted(expr, frame);
    if (dotted?.startsWith("CONSTANTS.c")) {
      const value = this.#constants[Number(dotted.slice("CONSTANTS.c".length))];
      if (value !== undefined) return this.#thing(value, "", this.#archive.constants.tensors);
      throw this.#refuse(frame.tree, expr.line, dotted, "the archive has no such constant");
    }
    if (dotted !== undefined) {
      if (!dotted.startsWith("__torch__.")) return new Callable(dotted);
      const tree = this.#library.function(dotted);
      if (tree) return new Callable(dotted, tree);
      if (this.#library.isNamedTuple(dotted)) return new Callable("tuple");
      throw this.#refuse(frame.tree, expr.line, dotted, "the archive has no such function");
    }
    return this.#member(this.#evaluate(expr.of, frame), expr.name, expr.line, frame);
  }

  #member(of: Thing, name: string, line: number, frame: Frame): Thing {
    if (of instanceof Module) {
      const value = this.#attributesOf(of).get(name);
      if (value !== undefined) return value;
      const tree = this.#library.method(of.object.type, name);
      if (tree) return new Callable(name, tree, of);
      const problem = `${of.object.type} has no "${name}"`;
      throw this.#refuse(frame.tree, line, of.path || "forward", problem);
    }
    throw this.#refuse(frame.tree, line, `.${name}`, "only modules have attributes");
  }

  #callOf(expr: Extract<Expr, { kind: "call" }>, frame: Frame): Thing {
    const { callee, line } = expr;
    if (callee.kind === "name" && callee.name === "getattr") {
      const [of, name] = expr.args.map((arg) => this.#evaluate(arg, frame));
      if (of !== undefined && typeof name === "string") return this.#member(of, name, line, frame);
      throw this.#refuse(frame.tree, line, "getattr", "it needs a module and a name");
    }
    const target = this.#evaluate(callee, frame);
    if (!(target instanceof Callable)) {
      throw this.#refuse(frame.tree, line, "call", "only functions and methods are called");
    }
    // The first argument of annotate, unchecked_cast and uninitialized is a type.
    const isTyped = TYPED.has(target.name);
    const args = expr.args.map((arg, index) =>
      isTyped && index === 0 ? null : this.#evaluate(arg, frame),
    );
    const named = new Map([...expr.named].map(([name, arg]) => [name, this.#evaluate(arg, frame)]));
    if (target.tree) return this.call(target, args, named);
    if (target.name === "tuple") return args;
    return this.#op(target.name, args, named, frame, line);
  }

  /** One of PyTorch's ops. An in-place one gives its tensor the new value; aliases go stale. */
  #op(
    name: string,
    args: readonly Thing[],
    named: ReadonlyMap<string, Thing>,
    frame: Frame,
    line: number,
  ): Thing {
    const found = findOp(name);
    const where = `${frame.tree.file}, line ${line}`;
    const parts = { args, named, translator: this.#translator, path: frame.path, where };
    if (!found) throw this.#refuseOps(new Call({ ...parts, op: name }).fail(MISSING));
    const call = new Call({ ...parts, op: found.plain });
    const result = found.op(call);
    call.checkNamed();
    const [target] = args;
    if (!found.inPlace || result === target) return result;
    if (!(target instanceof Traced) || !(result instanceof Traced)) {
      throw new Call({ ...parts, op: name }).fail("in-place ops change tensors of the graph only");
    }
    this.#steps += target.aliases.size;
    for (const alias of target.aliases) if (alias !== target) alias.stale = `${name} (${where})`;
    target.value = result.value;
    return target;
  }

  // — the archive's objects ————————————————————————————————————————————————————————————————————————

  /** The attributes of a module; a class with __setstate__ makes them itself. */
  #attributesOf(module: Module): Map<string, Thing> {
    const { object, path } = module;
    const known = this.#attributes.get(object);
    if (known) return known;
    const attributes = new Map<string, Thing>();
    this.#attributes.set(object, attributes);
    const { state } = object;
    if (state instanceof Map) {
      for (const [name, value] of state) {
        if (typeof name !== "string") continue;
        const inner = path === "" ? name : `${path}.${name}`;
        attributes.set(name, this.#thing(value, inner, this.#archive.tensors));
      }
      return attributes;
    }
    const restore = this.#library.method(object.type, "__setstate__");
    if (!restore) throw damaged(`object "${path}" of ${object.type} has no attributes`);
    this.#restoring.add(object);
    const held = this.#thing(state, path, this.#archive.tensors);
    this.call(new Callable("__setstate__", restore, module), [held], new Map());
    this.#restoring.delete(object);
    return attributes;
  }

  #thing(value: Pickled, path: string, tensors: TensorReader, depth = 0): Thing {
    if (depth > TORCH_LIMITS.nesting) throw damaged(`"${path}" is nested too deep`);
    if (value === null || typeof value === "boolean" || typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "bigint") return Number(value);
    if (value instanceof PyFloat) return value.value;
    if (value instanceof StridedTensor) {
      this.#readers.set(value.storage, tensors);
      return value;
    }
    if (value instanceof Tuple || value instanceof List) {
      // A list may hold one list many times, at every depth.
      this.#steps += value.items.length;
      if (this.#steps > TORCH_LIMITS.steps) throw damaged(`"${path}" holds too many values`);
      return value.items.map((item) => this.#thing(item, path, tensors, depth + 1));
    }
    if (value instanceof ScriptObject) {
      if (!isPacked(value)) return new Module(value, path);
      const known = this.#packed.get(value) ?? this.#unpacked(value, path, tensors);
      this.#packed.set(value, known);
      return known;
    }
    if (value instanceof Map) return null; // dicts are settings of training code
    throw damaged(`"${path}" must not be ${kindOf(value)}`);
  }

  #unpacked(object: ScriptObject, path: string, tensors: TensorReader): Packed {
    const packed = unpack(object, path, tensors);
    this.#readers.set(packed.weight.storage, tensors);
    if (packed.bias) this.#readers.set(packed.bias.storage, tensors);
    return packed;
  }
}

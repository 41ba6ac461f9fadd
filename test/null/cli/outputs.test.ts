// Output files appear complete or not at all, under the name, mode and owner of what they replace; what is no file
// is written through, and what cannot be written is refused before the work.
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkOutput, writeOutput, writesStdout } from "../../../src/cli/outputs.ts";
import { InputError } from "../../../src/errors.ts";
import { load } from "../../../src/load.ts";
import { writeWhole } from "../../../src/storage/nodeFiles.ts";
import { Capture } from "./terminal.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const sample = join(root, "demo/sample/model.onnx");
const isPosix = process.platform !== "win32";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "webgpu-quant-outputs-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, name);
const context = (signal = new AbortController().signal, stdout = new Capture()) => ({
  signal,
  stdout,
});
const write = (name: string, bytes = Uint8Array.of(1, 2, 3)) =>
  writeOutput(path(name), bytes, context());
const problem = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: unknown) => String(error).replaceAll(folder, ""),
  );

it("an output replaces the file of its name, and no other file remains", async () => {
  writeFileSync(path("a.onnx"), "old");
  await writeOutput(path("a.onnx"), Uint8Array.of(1, 2, 3), context());
  expect([...readFileSync(path("a.onnx"))]).toEqual([1, 2, 3]);
  expect(readdirSync(folder)).toEqual(["a.onnx"]);
});

it("an aborted output leaves the old file and no partial one", async () => {
  writeFileSync(path("a.onnx"), "old");
  const reason = new Error("stop");
  await expect(
    writeOutput(path("a.onnx"), new Uint8Array(1000), context(AbortSignal.abort(reason))),
  ).rejects.toBe(reason);
  expect(readFileSync(path("a.onnx"), "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["a.onnx"]);
});

it("an output that cannot take its name leaves no temporary file", async () => {
  mkdirSync(path("taken/inside"), { recursive: true });
  await expect(writeOutput(path("taken"), Uint8Array.of(1), context())).rejects.toThrow(InputError);
  expect(readdirSync(folder)).toEqual(["taken"]);
});

it("a missing folder, a folder in the file's place and an input's name are refused early", async () => {
  const refusal = async (out: string) => {
    const error: unknown = await checkOutput(
      ...(["--out", path(out), { inputs: [path("m.onnx")] }, context()] as const),
    ).catch((reason: unknown) => reason);
    return error instanceof InputError ? error.message.replaceAll(folder, "") : error;
  };
  mkdirSync(path("here"));
  expect(await refusal("none/a.onnx")).toMatchInlineSnapshot(
    `"--out "/none/a.onnx": cannot write into "/none": no such file or folder. Make the folder first."`,
  );
  expect(await refusal("here")).toMatchInlineSnapshot(
    `"--out "/here": it is a folder, not a file. Name a file in it."`,
  );
  expect(await refusal("m.onnx")).toMatchInlineSnapshot(
    `"--out "/m.onnx": would overwrite an input. Choose another name."`,
  );
  expect(await refusal("here/a.onnx")).toBeUndefined();
  expect(readdirSync(path("here"))).toEqual([]);
});

describe("what is replaced", () => {
  it("keeps its mode, and a new file has that of the umask", async () => {
    writeFileSync(path("a"), "old");
    chmodSync(path("a"), 0o640);
    await write("a");
    await write("new");
    writeFileSync(path("plain"), "");
    if (!isPosix) return;
    expect(statSync(path("a")).mode & 0o7777).toBe(0o640);
    expect(statSync(path("new")).mode).toBe(statSync(path("plain")).mode);
  });

  it.skipIf(process.getuid?.() !== 0)("keeps its owner", async () => {
    writeFileSync(path("a"), "old");
    spawnSync("chown", ["65534:65534", path("a")]);
    await write("a");
    expect([statSync(path("a")).uid, statSync(path("a")).gid]).toEqual([65534, 65534]);
  });

  it.skipIf(!isPosix)("is what a link leads to, and the link stays", async () => {
    mkdirSync(path("far"));
    writeFileSync(path("far/target"), "old");
    symlinkSync("far/target", path("link"));
    symlinkSync("link", path("chain"));
    await write("chain");
    expect(lstatSync(path("chain")).isSymbolicLink()).toBe(true);
    expect([...readFileSync(path("far/target"))]).toEqual([1, 2, 3]);
    // To a file that is not there yet.
    symlinkSync("far/new", path("dangling"));
    await write("dangling");
    expect([...readFileSync(path("far/new"))]).toEqual([1, 2, 3]);
    expect(readdirSync(path("far")).sort()).toEqual(["new", "target"]);
    symlinkSync("b", path("c"));
    symlinkSync("c", path("b"));
    expect(await problem(write("b"))).toMatchInlineSnapshot(
      `"InputError: output "/b": its symbolic links go round in a circle. Choose another name."`,
    );
  });
});

describe.skipIf(!isPosix)("what is no regular file", () => {
  it("is written through: a device stays one", async () => {
    // Nodes of our own: as root, a writer that is wrong would replace the system's.
    const made = spawnSync("mknod", [path("full"), "c", "1", "7"]);
    if (made.status !== 0) return console.log("outputs: mknod is not permitted here; not tested");
    spawnSync("mknod", [path("null"), "c", "1", "3"]);
    await checkOutput("--out", path("null"), { inputs: [] }, context());
    await write("null");
    expect(await problem(write("full"))).toMatchInlineSnapshot(
      `"InputError: output "/full": no space is left on the disk. Free some of it, or name a file on another disk."`,
    );
    for (const name of ["full", "null"])
      expect(lstatSync(path(name)).isCharacterDevice()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["full", "null"]);
  });

  it("is written through: a FIFO waits for its reader", async () => {
    spawnSync("mkfifo", [path("p")]);
    const bytes = new Uint8Array(500_000).map((_, index) => index);
    const reader = spawn("sh", ["-c", `sleep 0.1; cat "$0" > "$1"`, path("p"), path("copy")]);
    const closed = new Promise((resolve) => reader.on("close", resolve));
    await write("p", bytes);
    await closed;
    expect(readFileSync(path("copy")).equals(bytes)).toBe(true);
    expect(lstatSync(path("p")).isFIFO()).toBe(true);
    const controller = new AbortController();
    const waiting = writeOutput(path("p"), bytes, context(controller.signal));
    controller.abort(new Error("stop"));
    await expect(waiting).rejects.toThrow("stop");
  });
});

describe("an input is not written over", () => {
  const refusal = (out: string, ...inputs: string[]) =>
    problem(checkOutput("--out", path(out), { inputs: inputs.map(path) }, context()));

  it.skipIf(!isPosix)("by whatever name", async () => {
    writeFileSync(path("m.onnx"), "m");
    symlinkSync("m.onnx", path("link.onnx"));
    linkSync(path("m.onnx"), path("hard.onnx"));
    mkdirSync(path("d"));
    const words = "would overwrite an input";
    expect(await refusal("link.onnx", "m.onnx")).toContain(words);
    expect(await refusal("m.onnx", "link.onnx")).toContain(words);
    expect(await refusal("hard.onnx", "m.onnx")).toContain(words);
    expect(await refusal("d/../m.onnx", "other", "m.onnx")).toContain(words);
    expect(await refusal("d/new.onnx", "m.onnx")).toBe("no error");
    expect(await refusal("d/", "m.onnx")).toMatchInlineSnapshot(
      `"InputError: --out "/d/": it names a folder. Name a file in it."`,
    );
  });

  it.skipIf(!isPosix || process.getuid?.() === 0)(
    "nor is a file that may not be written",
    async () => {
      writeFileSync(path("a"), "mine", { mode: 0o444 });
      expect(await refusal("a")).toContain("permission denied");
      await expect(write("a")).rejects.toThrow("permission denied");
    },
  );
});

describe("stdout", () => {
  it("takes an output called -, but a terminal no bytes", async () => {
    const stdout = new Capture();
    await writeOutput("-", Uint8Array.of(4), context(undefined, stdout));
    expect(stdout.files).toEqual([Uint8Array.of(4)]);
    const terminal = context(undefined, new Capture(true));
    expect(
      await problem(checkOutput("--out", "-", { inputs: [] }, terminal)),
    ).toMatchInlineSnapshot(
      `"InputError: --out "-": a terminal cannot show the file. Redirect it: > FILE, or name a file."`,
    );
    await checkOutput("--out", "-", { inputs: [], isText: true }, terminal);
  });

  it("is told from other outputs", () => {
    expect(writesStdout(["export", "m", "--out", "-"])).toBe(true);
    expect(writesStdout(["run", "m", "--out", "y=-", "--json"])).toBe(true);
    expect(writesStdout(["export", "m", "--out=/dev/stdout"])).toBe(true);
    expect(writesStdout(["export", "-", "--out", "a-"])).toBe(false);
  });
});

describe("temporary files", () => {
  it("of a process that was killed go with the next write, those of one that lives stay", async () => {
    const names: string[] = [];
    const before = new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        names.push(...readdirSync(folder).filter((name) => name.endsWith(".tmp")));
        if (names.length > 0) resolve(clearInterval(timer));
      }, 0);
    });
    const writing = write("a", new Uint8Array(2e8));
    await before;
    await writing;
    const [name = ""] = names;
    expect(name).toContain(`-${process.pid}-`);
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    writeFileSync(path(name), ""); // as if this process were still writing
    writeFileSync(path(name.replace(`-${process.pid}-`, `-${dead}-`)), "");
    writeFileSync(path(".webgpu-quant-00000000-1-0123456789ab.tmp"), ""); // another machine's
    await write("b", new Uint8Array(1));
    expect(readdirSync(folder).sort()).toEqual(
      [".webgpu-quant-00000000-1-0123456789ab.tmp", name, "a", "b"].sort(),
    );
  });

  it("are short, however long the name", async () => {
    const long = "x".repeat(250);
    await writeWhole(path(long), Uint8Array.of(1));
    expect(readdirSync(folder)).toEqual([long]);
    expect((await problem(write("x".repeat(300)))).replace(/x+/, "x…")).toMatchInlineSnapshot(
      `"InputError: output "/x…": the name is too long. Choose another name."`,
    );
  });
});

describe.skipIf(!isPosix)("the built program", () => {
  const program = join(root, "bin/webgpu-quant.js");
  const build = () => spawnSync(process.execPath, [join(root, "scripts/build.mjs")]);

  it("reads stdin, writes stdout and reports on stderr", async () => {
    build();
    const { status, stdout, stderr } = spawnSync(
      ...([process.execPath, [program, "export", "-", "--out", "-", "--json"]] as const),
      { input: readFileSync(sample) },
    );
    expect([status, JSON.parse(stderr.toString())]).toMatchObject([0, { out: "-" }]);
    expect((await load(stdout)).stage).toBe("float");
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "stops at %s while it waits for a FIFO",
    async (signal) => {
      spawnSync("mkfifo", [path("p")]);
      const child = spawn(process.execPath, [program, "inspect", path("p")]);
      let stderr = "";
      child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
      const ended = new Promise((resolve) => child.on("close", resolve));
      // A writer can open the FIFO once the program has; it never closes it.
      const script = 'exec 3> "$0"; echo open; exec sleep 20';
      const writer = spawn("sh", ["-c", script, path("p")]);
      await new Promise((resolve) => writer.stdout.once("data", resolve));
      child.kill(signal);
      expect(await ended).toBe(130);
      expect(stderr).toContain("interrupted");
      writer.kill();
    },
  );
});

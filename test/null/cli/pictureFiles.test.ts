// Which pictures: the same words pick the same pictures, sorted by name.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkLabels, labelOf, readLabels } from "../../../src/cli/labels.ts";
import { listPictures, select, spread } from "../../../src/cli/pictureFiles.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "webgpu-quant-pictures-"));
  mkdirSync(join(folder, "all/sub"), { recursive: true });
  mkdirSync(join(folder, "empty"));
  for (const name of ["b.jpg", "a.PNG", "c.webp", "notes.md", "._b.jpg", "sub/a.jpeg"])
    writeFileSync(join(folder, "all", name), "");
  writeFileSync(join(folder, "empty/readme.md"), "");
  writeFileSync(join(folder, "list.txt"), "# two\nall/c.webp\n\n all/b.jpg \r\n");
  writeFileSync(join(folder, "blank.txt"), "# none\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

const list = async (...names: string[]) => {
  const pictures = await listPictures(names.map((name) => join(folder, name)));
  return pictures.map(({ name }) => name);
};
const problem = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: unknown) => String(error).replaceAll(folder, ""),
  );

describe("pictures", () => {
  it("of a folder are sorted by name, subfolders included, hidden and other files left out", async () => {
    expect(await list("all")).toEqual(["a.PNG", "b.jpg", "c.webp", "sub/a.jpeg"]);
  });

  it("of a list are relative to the list, and sorted too", async () => {
    expect(await list("list.txt")).toEqual(["b.jpg", "c.webp"]);
  });

  it("named twice count once", async () => {
    expect(await list("all/b.jpg", "list.txt")).toEqual(["b.jpg", "c.webp"]);
  });

  it("that are not there are an error that names the place", async () => {
    expect(await problem(list("empty"))).toMatchInlineSnapshot(
      `"InputError: --data "/empty": the folder holds no picture (.jpg, .jpeg, .png, .webp); got 1 other entries. Name a folder with pictures."`,
    );
    expect(await problem(list("none"))).toMatchInlineSnapshot(
      `"InputError: --data "/none": no such file or folder. Check the path."`,
    );
    expect(await problem(list("blank.txt"))).toMatchInlineSnapshot(
      `"InputError: --data "/blank.txt": the list names no picture. Write one path a line, relative to the list."`,
    );
  });
});

describe("selection", () => {
  const items = Array.from({ length: 11 }, (_, index) => index);

  it("--every and --except-every split the pictures in two", () => {
    expect(select(items, { every: 5 })).toEqual([0, 5, 10]);
    expect(select(items, { exceptEvery: 5 })).toEqual([1, 2, 3, 4, 6, 7, 8, 9]);
  });

  it("a limit is spread evenly over what is left", () => {
    expect(select(items, { every: 2, limit: 3 })).toEqual([0, 4, 8]);
    expect(spread(items, 4)).toEqual([0, 2, 5, 8]);
    expect(spread(items, 99)).toEqual(items);
  });

  it("that leaves nothing is an error", () => {
    expect(() => select([1], { exceptEvery: 2 })).toThrowErrorMatchingInlineSnapshot(
      `[InputError: --data: the selection leaves none of 1 picture(s). Change --every or --except-every.]`,
    );
  });
});

describe("labels", () => {
  const write = (text: string) => {
    const path = join(folder, "labels.json");
    writeFileSync(path, text);
    return path;
  };

  it("are found by the path in the folder, else by the base name", () => {
    const labels = new Map([
      ["sub/a.jpeg", 1],
      ["a.jpeg", 2],
    ]);
    expect([labelOf(labels, "sub/a.jpeg"), labelOf(labels, "other/a.jpeg")]).toEqual([1, 2]);
    expect(labelOf(labels, "b.jpg")).toBeUndefined();
  });

  it.each(["{", "[1]", '{"a.jpg": "cat"}', '{"a.jpg": -1}'])("%s is refused", async (text) => {
    expect(await problem(readLabels(write(text)))).toMatchSnapshot();
  });

  it("a picture without a class, and a class that the model does not have, are named", async () => {
    const pictures = await listPictures([join(folder, "all")]);
    const labels = new Map(pictures.map(({ name }, index) => [name, index]));
    const check = (of: Map<string, number>, offset: number, classes?: number) => () =>
      checkLabels(of, "labels.json", pictures, offset, classes);
    expect(check(labels, 0, 4)).not.toThrow();
    expect(check(labels, 1, undefined)).not.toThrow();
    expect(check(new Map([["b.jpg", 1]]), 0)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: labels "labels.json": 3 of 4 picture(s) have no class there, the first is "a.PNG". Add them, or leave them out of --data.]`,
    );
    expect(check(labels, 1, 4)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: labels "labels.json": "sub/a.jpeg" has class 4 (label offset 1 included); the model has 4 classes from 0 on. Check --label-offset.]`,
    );
    expect(check(labels, -1, 4)).toThrowErrorMatchingInlineSnapshot(
      `[InputError: labels "labels.json": "a.PNG" has class -1 (label offset -1 included); the model has 4 classes from 0 on. Check --label-offset.]`,
    );
  });
});

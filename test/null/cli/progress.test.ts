// Progress bars are for eyes: a pipe gets the notes and nothing else.
import { expect, it } from "vitest";
import { Progress } from "../../../src/cli/progress.ts";
import { Capture } from "./terminal.ts";

const WIPE = "\r\x1b[2K";

it("a pipe stays silent, but notes are written", () => {
  const pipe = new Capture();
  const progress = new Progress(pipe);
  progress.report("calibrate", 1, 2);
  progress.clear();
  expect(pipe.text).toBe("");
  progress.note("skipped: broken.jpg");
  expect(pipe.text).toBe("skipped: broken.jpg\n");
});

it("a terminal sees a bar and the time left, from the speed so far", () => {
  const terminal = new Capture(true);
  let now = 0;
  const progress = new Progress(terminal, () => now);
  progress.report("calibrate", 10, 40);
  now = 5000;
  progress.report("calibrate", 20, 40);
  expect(terminal.text).toBe(
    `${WIPE}calibrate  ██████░░░░░░░░░░░░░░░░░░  10/40` +
      `${WIPE}calibrate  ████████████░░░░░░░░░░░░  20/40  0:10 left`,
  );
});

it("draws at most ten times a second, and always the end", () => {
  const terminal = new Capture(true);
  let now = 0;
  const progress = new Progress(terminal, () => now);
  for (let done = 1; done <= 100; done++) {
    now += 1;
    progress.report("evaluate", done, 100);
  }
  expect(terminal.text.split(WIPE).filter(Boolean)).toHaveLength(2);
  expect(terminal.text).toContain("100/100");
});

it("a note wipes the bar first, and the next report draws it again", () => {
  const terminal = new Capture(true);
  const progress = new Progress(terminal, () => 0);
  progress.report("evaluate", 1, 3);
  progress.note("skipped: x");
  progress.report("evaluate", 2, 3);
  const [, first, second, third] = terminal.text.split(WIPE);
  expect(first).toContain("1/3");
  expect(second).toBe("skipped: x\n");
  expect(third).toContain("2/3");
});

it("a bar is never wider than the terminal, which would leave a line behind at every drawing", () => {
  const terminal = new Capture(true);
  new Progress(terminal, () => 0).report("x".repeat(300), 1, 3);
  expect(terminal.text.slice(WIPE.length)).toHaveLength(99);
});

it.each([
  [0, "calibrate  ████████████░░░░░░░░░░░░  20/40"], // as serial consoles and some CI terminals tell
  [undefined, "calibrate  ████████████░░░░░░░░░░░░  20/40"],
  [30, "calibrate  ██████░░░░░  20/40"],
  [17, "calibrate  20/40"],
  [10, "calibrate"],
  [1, ""],
])("a terminal of %s columns sees %j", (columns, shown) => {
  const lines: string[] = [];
  const stream = { isTTY: true, write: (text: string) => lines.push(text) };
  const terminal = columns === undefined ? stream : { ...stream, columns };
  new Progress(terminal, () => 0).report("calibrate", 20, 40);
  expect(lines).toEqual([`${WIPE}${shown}`]);
});

// A way out in the words of whoever reads it. Errors say what to do in the API's words: `load(bytes, { dims: { h: 224 } })`.
// On the command line that is `--dims h=224`; the page takes files alone, and is told which command writes one.

export type Surface = "cli" | "page";

/** One form that ways out have in the API, and what it is as flags. */
interface Form {
  readonly api: RegExp;
  readonly flags: (list: string) => string;
}

/** `h: 224, "w": tensor` as flags: a number stays, anything else is a VALUE. */
function flagsOf(flag: string, list: string): string {
  const entries = [...list.matchAll(/("(?:[^"\\]|\\.)*"|[^,:{}\s][^,:{}]*):\s*([^,{}]+)/g)];
  const named = entries.filter(([, name]) => name !== "name");
  if (named.length === 0) return `--${flag} NAME=${flag === "constant" ? "VALUE" : "SIZE"}`;
  return named
    .map(([, name = "", value = ""]) => {
      const plain = name.replace(/^"|"$/g, "").trim();
      const given = /^-?[\d.]+$/.test(value.trim()) ? value.trim() : "VALUE";
      const pair = `${plain}=${given}`;
      return `--${flag} ${/^[\w./:=+-]+$/.test(pair) ? pair : JSON.stringify(pair)}`;
    })
    .join(" ");
}

const FORMS: readonly Form[] = [
  {
    api: /load\(bytes, \{ dims(?:: \{([^{}]*)\})? \}\)/g,
    flags: (list) => flagsOf("dims", list),
  },
  {
    api: /load\(bytes, \{ constants: \{([^{}]*)\} \}\)/g,
    flags: (list) => flagsOf("constant", list),
  },
  {
    api: /compile with \{ bounds: \{([^{}]*)\} \}/g,
    flags: (list) => `give ${flagsOf("bound", list)}`,
  },
  { api: /fix sizes with dims when loading()/g, flags: () => "fix sizes with --dims NAME=SIZE" },
  {
    api: /Pass the file's bytes: load\(bytes, \{ externalData: new Map\(\[\[("[^\n]*?"), bytes\]\]\) \}\)/g,
    flags: (name) => `Put ${name} beside the model`,
  },
];

/** `message` of an error with its ways out as `surface` has them. */
export function forSurface(message: string, surface: Surface): string {
  return FORMS.reduce(
    (words, { api, flags }) =>
      words.replace(api, (_, list: string | undefined) => {
        const own = flags(list ?? "");
        if (surface === "cli" || !own.startsWith("--")) return own;
        return `webgpu-quant export MODEL --out fixed.onnx ${own} on the command line, then open that file here`;
      }),
    message,
  );
}

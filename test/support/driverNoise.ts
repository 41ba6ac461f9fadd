// What a graphics driver prints on stderr of its own accord, such as Mesa's warnings, is no output of ours.

const DRIVER =
  /^(MESA|mesa|libEGL|WARNING: (radv|lavapipe|llvmpipe|dzn|lvp|anv|tu)|(radv|lavapipe|dzn|anv|nvk)[ :/]|error: XDG_RUNTIME_DIR|DRM_IOCTL)/;

/** `stderr` without the driver's lines. */
export function withoutDriver(stderr: string): string {
  return stderr
    .split("\n")
    .filter((line) => !DRIVER.test(line))
    .join("\n");
}

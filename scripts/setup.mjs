// Finds or installs what `npm start` and `npm test` need beyond npm packages: a Chromium, which brings a
// software WebGPU driver, and on Linux the Vulkan loader that Node's WebGPU opens. One idea: look first,
// install only what is missing, and say in one line what was done or the one thing to do.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const APPLICATIONS = {
  darwin: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ],
  win32: [
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
  ],
};
const PACKAGES = ["chromium", "libvulkan1"];
const LOADER = "libvulkan.so.1";
const CONNECT = 15_000; // ms until Playwright gives a download server up
const DOWNLOAD = 300_000; // ms for Playwright's download
const APT = 900_000; // ms for the system's package manager

const isLinux = process.platform === "linux";
const isRoot = process.getuid?.() === 0;

/** True where there is a Chromium at `path` that starts: a download may lack the system's libraries, and
 *  some distributions have a script in its place that only says what to install. */
function starts(path) {
  if (!existsSync(path)) return false;
  if (!isLinux) return true; // elsewhere --version opens a window
  return spawnSync(path, ["--version"], { timeout: 20_000 }).status === 0;
}

/** The Chromium to use: $CHROMIUM, one on the PATH, an installed application, or Playwright's own.
 *  Undefined where none is there and starts. */
export async function findChromium() {
  const { CHROMIUM, PATH = "" } = process.env;
  if (CHROMIUM) {
    if (starts(CHROMIUM)) return CHROMIUM;
    throw new Error(`setup: CHROMIUM=${CHROMIUM} does not start. Correct it, or unset it.`);
  }
  const onPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const { chromium } = await import("playwright");
  const own = chromium.executablePath();
  return [...onPath, ...(APPLICATIONS[process.platform] ?? []), own].find(starts);
}

/** The folder of the Vulkan loader: "" where the system finds it, undefined where there is none. */
function findLoader(chromium) {
  if (!isLinux) return "";
  const known = (process.env.LD_LIBRARY_PATH ?? "").split(delimiter).filter(Boolean);
  const multiarch = existsSync("/usr/lib")
    ? readdirSync("/usr/lib")
        .filter((name) => name.includes("-linux-"))
        .map((name) => join("/usr/lib", name))
    : [];
  const system = [...known, ...multiarch, "/usr/lib64", "/usr/lib", "/usr/local/lib", "/lib64"];
  if (system.some((folder) => existsSync(join(folder, LOADER)))) return "";
  // A Chromium has one beside it, for its own use.
  const beside = ["/usr/lib/chromium", "/opt/google/chrome"];
  if (chromium) beside.unshift(dirname(realpathSync(chromium)));
  return beside.find((folder) => existsSync(join(folder, LOADER)));
}

function call(command, args, timeout, env = {}) {
  const { status } = spawnSync(command, args, {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", process.env.DEBUG ? "inherit" : "ignore"],
    timeout,
    shell: process.platform === "win32",
  });
  return status === 0;
}

/** Playwright's installer; false where it cannot download. */
function installWithPlaywright() {
  console.log("setup: no Chromium found; asking Playwright's installer for one…");
  const env = { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: String(CONNECT) };
  return call("npx", ["playwright", "install", "chromium"], DOWNLOAD, env);
}

/** The system's package manager; false where it is missing, refused or failed. */
function installWithApt(packages) {
  if (!isLinux || !isRoot) return false;
  console.log(`setup: installing ${packages.join(" and ")} with apt-get…`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  call("apt-get", ["update"], APT, env);
  return call("apt-get", ["install", "-y", "--no-install-recommends", ...packages], APT, env);
}

/** Make sure that Chromium and the loader are there. Returns the Chromium and the environment that child
 *  processes need. Throws an Error that names the one thing to do. */
export async function setup() {
  const done = [];
  let chromium = await findChromium();
  if (chromium === undefined && installWithPlaywright()) {
    chromium = await findChromium();
    if (chromium) done.push("Playwright downloaded a Chromium");
  }
  if (chromium === undefined && installWithApt(PACKAGES)) {
    chromium = await findChromium();
    done.push(`apt-get installed ${PACKAGES.join(" and ")}`);
  }
  let folder = findLoader(chromium);
  if (folder === undefined && installWithApt(["libvulkan1"])) {
    done.push("apt-get installed libvulkan1");
    folder = findLoader(chromium);
  }
  if (chromium === undefined || folder === undefined) {
    const what = chromium === undefined ? "Chromium" : "Vulkan loader";
    throw new Error(`setup: no ${what} here, and none could be installed. ${wayOut()}`);
  }
  const did = done.length > 0 ? done.join("; ") : "nothing to install";
  console.log(`setup: ${did}; Chromium is ${chromium}`);
  const env = { ...process.env, CHROMIUM: chromium };
  if (folder !== "")
    env.LD_LIBRARY_PATH = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  return { chromium, env };
}

function wayOut() {
  if (!isLinux) return "Install Google Chrome, or set CHROMIUM to the path of a Chromium.";
  const sudo = isRoot ? "" : "sudo ";
  return `Run: ${sudo}apt-get install -y ${PACKAGES.join(" ")}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await setup();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

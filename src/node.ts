// `webgpu-quant/node`: a device in Node, from the optional npm package `webgpu` (Dawn). Where the
// machine has no GPU driver, the software driver that every Chromium brings is used. Dawn prints
// warnings when it finds no driver at all, so a machine without one is recognised beforehand.

import { existsSync, readdirSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { NoAdapterError, NoWebGpuError } from "./errors.ts";
import type { Device } from "./gpu/device.ts";
import { requestDeviceFrom, type DeviceOptions } from "./gpu/request.ts";
import { NodePacer } from "./nodePacer.ts";

export * from "./index.ts";
export { checkpointFolder } from "./checkpointFolder.ts";

export interface NodeDeviceOptions extends DeviceOptions {
  /** Dawn's toggles and back end, such as ["backend=vulkan"]. */
  readonly dawnFlags?: readonly string[];
}

/** The driver manifest beside a Chromium binary. */
const MANIFEST = "vk_swiftshader_icd.json";

/** Where a software Vulkan driver lies on this machine, if one does: beside the Chromium that
 *  $CHROMIUM names, a system Chromium or Chrome, or in Playwright's browsers. */
export function findSoftwareDriver(): string | undefined {
  const cache =
    process.env["PLAYWRIGHT_BROWSERS_PATH"] ?? join(homedir(), ".cache", "ms-playwright");
  const browsers = existsSync(cache)
    ? readdirSync(cache)
        .filter((name) => name.startsWith("chromium"))
        .flatMap((name) => readdirSync(join(cache, name)).map((inner) => join(cache, name, inner)))
    : [];
  const { CHROMIUM } = process.env;
  const folders = [
    ...(CHROMIUM && existsSync(CHROMIUM) ? [dirname(realpathSync(CHROMIUM))] : []),
    "/usr/lib/chromium",
    "/usr/lib/chromium-browser",
    "/opt/google/chrome",
    "/usr/lib64/chromium-browser",
    ...browsers,
  ];
  return folders.map((folder) => join(folder, MANIFEST)).find((file) => existsSync(file));
}

/** True where Vulkan's loader would find some driver by itself, or somebody chose one: only Linux needs
 *  to be asked. https://vulkan.lunarg.com/doc/sdk/latest/linux/LoaderDriverInterface.html */
export function hasVulkanDriver(): boolean {
  if (process.platform !== "linux") return true;
  const { env } = process;
  const chosen = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"];
  if (chosen.some((name) => env[name])) return true;
  const list = (name: string, fallback: string) => (env[name] || fallback).split(":");
  const roots = [
    ...list("XDG_CONFIG_HOME", join(homedir(), ".config")),
    ...list("XDG_CONFIG_DIRS", "/etc/xdg"),
    ...["/etc", "/usr/local/etc"],
    ...list("XDG_DATA_HOME", join(homedir(), ".local", "share")),
    ...list("XDG_DATA_DIRS", "/usr/local/share:/usr/share"),
    ...["/usr/local/share", "/usr/share"],
  ];
  return roots.some((root) => {
    const folder = join(root, "vulkan", "icd.d");
    return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(".json"));
  });
}

interface Dawn {
  create(flags: string[]): GPU;
  readonly globals: Record<string, unknown>;
}

/** Dawn's instances by flags and driver: one serves every device of a process, as each keeps megabytes until the
 *  process ends. What create() returned must stay reachable, or the process dies when it is collected. */
const holder = globalThis as unknown as { webgpuQuantInstances?: Map<string, GPU> };

function instanceOf(dawn: Dawn, flags: readonly string[]): GPU {
  const instances = (holder.webgpuQuantInstances ??= new Map<string, GPU>());
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES } = process.env;
  const key = JSON.stringify([flags, VK_DRIVER_FILES, VK_ICD_FILENAMES]);
  const known = instances.get(key);
  if (known) return known;
  const made = dawn.create([...flags]);
  instances.set(key, made);
  return made;
}

async function loadDawn(): Promise<Dawn> {
  try {
    return (await import("webgpu")) as unknown as Dawn;
  } catch (cause) {
    throw new NoWebGpuError(
      "requestDevice: the npm package `webgpu` cannot be loaded here. Install it: npm install webgpu. " +
        `(${cause instanceof Error ? cause.message.split("\n")[0] : String(cause)})`,
    );
  }
}

/** A device in Node. Uses the machine's GPU; without one, a software driver (see
 *  `findSoftwareDriver`). Throws NoWebGpuError, NoAdapterError with the one thing to do. */
export async function requestDevice(options: NodeDeviceOptions = {}): Promise<Device> {
  const { dawnFlags = [], ...rest } = options;
  const dawn = await loadDawn();
  const open = async (): Promise<Device> => {
    const device = await requestDeviceFrom(instanceOf(dawn, dawnFlags), rest, open);
    if (device.facts.isFallback) device.pacer = new NodePacer();
    return device;
  };
  const chosen = process.env["VK_DRIVER_FILES"] ?? process.env["VK_ICD_FILENAMES"];
  const driver = chosen ? undefined : findSoftwareDriver();
  const useSoftware = (): void => {
    if (driver !== undefined) process.env["VK_ICD_FILENAMES"] = driver;
  };
  if (!hasVulkanDriver()) useSoftware();
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof NoAdapterError)) throw error;
    if (driver !== undefined && process.env["VK_ICD_FILENAMES"] !== driver) {
      useSoftware();
      try {
        return await open();
      } catch (second) {
        if (!(second instanceof NoAdapterError)) throw second;
      }
    }
    throw new NoAdapterError(
      chosen
        ? `requestDevice: no adapter with the Vulkan driver ${chosen}. Unset VK_DRIVER_FILES and VK_ICD_FILENAMES, or name a working driver.`
        : driver
          ? "requestDevice: no adapter, not even a software one. Install the Vulkan loader: apt-get install libvulkan1."
          : "requestDevice: no GPU adapter and no software driver found. Install one: apt-get install chromium libvulkan1.",
    );
  }
}

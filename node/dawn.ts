// npm's `webgpu`, which is Chrome's implementation (Dawn) as a native module. It is no dependency of the package: who
// wants to run in Node installs it, and learns here what is missing.
import type { create, globals } from "webgpu";
import { WebvaeError } from "../src/errors.js";

interface Dawn {
  readonly create: typeof create;
  readonly globals: typeof globals;
}

/** Of package.json's `engines`. */
const OLDEST = [20, 19] as const;

/** What decides whether Dawn loads. */
export interface Runtime {
  readonly platform: string;
  readonly arch: string;
  /** Whether the C library is glibc, which the builds for Linux need. */
  readonly glibc: boolean;
}

/** The package's module. Throws NO_WEBGPU, saying what is missing. */
export async function loadDawn(): Promise<Dawn> {
  const old = tooOld(process.versions.node);
  if (old) throw new WebvaeError("NO_WEBGPU", old);
  try {
    return await import("webgpu");
  } catch (cause) {
    const { platform, arch } = process;
    throw new WebvaeError("NO_WEBGPU", whyNotLoaded(cause, { platform, arch, glibc: hasGlibc() }), { cause });
  }
}

/** What to say of a Node of this version, if it is too old. */
export function tooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined;
  const needed = `webvae needs Node ${OLDEST.join(".")} or later, and this is ${version}`;
  return `${needed}: install a newer one from https://nodejs.org`;
}

/** What to do about `error`, by which the import of `webgpu` failed. */
export function whyNotLoaded(error: unknown, { platform, arch, glibc }: Runtime): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown } | null)?.code;
  if (code === "ERR_MODULE_NOT_FOUND" && /(package|module) '?webgpu\b/.test(message)) {
    return "the npm package webgpu, which is WebGPU for Node, is not installed: npm install webgpu";
  }
  const failed = `the npm package webgpu does not load on ${platform}, ${arch}`;
  if (code === "MODULE_NOT_FOUND" && message.includes("dawn.node")) {
    return (
      `${failed}: it has no build for that, only for Linux, macOS and Windows on x64 and arm64. If this is one of ` +
      "those, reinstall it: npm install webgpu"
    );
  }
  if (code === "ERR_DLOPEN_DISABLED") return `${failed}, since Node was started without native addons (${message})`;
  if (platform === "linux" && !glibc) {
    return (
      `${failed}: its build needs glibc, which Alpine and other systems with musl have not. Use Debian, Ubuntu or ` +
      `Fedora, such as the image node:22-slim (${message})`
    );
  }
  // Of a library that it needs, or that one of those needs.
  const [, library] = /^(\S+\.so[.\d]*): cannot open shared object file/.exec(message) ?? [];
  if (library) return `${failed}: the system's library ${library} is not installed`;
  if (/GLIBC(XX)?_[\d.]+'? not found/.test(message)) {
    return `${failed}: it needs a newer system than this one (${message})`;
  }
  return `${failed}: ${message}`;
}

function hasGlibc(): boolean {
  // Other runtimes than Node may have no report.
  const report = process.report as NodeJS.ProcessReport | undefined;
  const { header } = (report?.getReport() ?? {}) as { header?: { glibcVersionRuntime?: string } };
  return !header || header.glibcVersionRuntime !== undefined;
}

// The data that the build reads from a .wgsl file (build/wgsl.mjs), so that no binding number, access mode,
// workgroup size or struct offset is ever typed twice.

export interface ShaderBinding {
  /** The WGSL variable's name; TypeScript binds tensors by it. */
  readonly name: string;
  readonly group: number;
  readonly binding: number;
  readonly access: "uniform" | "read" | "read_write";
  /** The smallest size in bytes that WebGPU accepts for the binding. */
  readonly minimumBytes: number;
  /** Activations or weights, which a plan may have in f16 (lib/stored.wgsl). */
  readonly stored: boolean;
}

export interface UniformMember {
  readonly name: string;
  readonly type: "u32" | "i32" | "f32";
  /** Byte offset inside the struct. */
  readonly offset: number;
  /** How many values an array of vec4f has; a scalar has one. */
  readonly count?: number;
}

export interface EntryPoint {
  /** Names of the bindings that this entry point uses, directly or through the functions it calls. */
  readonly bindings: readonly string[];
  /** Numbers, or the name of the override that holds the number. */
  readonly workgroupSize: readonly (number | string)[];
}

export interface ShaderSource {
  /** File name without its extension: "linear", "linear.subgroups". */
  readonly name: string;
  /**
   * The WGSL, or a function that loads it, since the bundle keeps code that only some pages need in a separate file.
   */
  readonly code: string | (() => Promise<string>);
  /** Device features named by `enable` directives. */
  readonly features: readonly string[];
  readonly bindings: Readonly<Record<string, ShaderBinding>>;
  /** Members of each uniform struct, by the uniform variable's name. */
  readonly uniforms: Readonly<Record<string, { readonly bytes: number; readonly members: readonly UniformMember[] }>>;
  /** Defaults of the pipeline-overridable constants. */
  readonly overrides: Readonly<Record<string, number>>;
  readonly entryPoints: Readonly<Record<string, EntryPoint>>;
}

const halves = new WeakMap<ShaderSource, ShaderSource>();

/**
 * The same with activations and weights in f16 (shaders/lib/stored.wgsl); everything else, and all arithmetic, is f32.
 */
export function inHalf(shader: ShaderSource): ShaderSource {
  const { code, name, features, bindings } = shader;
  const change = (text: string) =>
    `enable f16;${text.replace("alias Stored=vec4f;alias StoredValue=f32;", "alias Stored=vec4h;alias StoredValue=f16;")}`;
  const made = halves.get(shader) ?? {
    ...shader,
    name: `${name}.f16`,
    code: typeof code === "string" ? change(code) : async () => change(await code()),
    features: [...features, "shader-f16"],
    bindings: Object.fromEntries(
      Object.entries(bindings).map(([key, binding]) => [
        key,
        binding.stored ? { ...binding, minimumBytes: binding.minimumBytes / 2 } : binding,
      ]),
    ),
  };
  halves.set(shader, made);
  return made;
}

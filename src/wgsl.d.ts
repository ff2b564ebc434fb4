// The type of an imported .wgsl file: its text with imports joined, and what build/wgsl.mjs read from it.
declare module "*.wgsl" {
  const shader: import("./shader_source.js").ShaderSource;
  export default shader;
}

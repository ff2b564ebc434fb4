// What importing a .wgsl file gives: its text with imports joined, and what build/wgsl.mjs read from it.
declare module "*.wgsl" {
  const shader: import("./shader_source.js").ShaderSource;
  export default shader;
}

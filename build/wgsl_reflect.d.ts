// wgsl_reflect ships no types for its module file; build/wgsl.mjs checks what it takes from it.
declare module "wgsl_reflect/wgsl_reflect.module.js" {
  export class WgslReflect {
    constructor(code: string);
    readonly entry: { readonly compute: readonly any[] };
    getBindGroups(): readonly (readonly any[])[];
  }
}

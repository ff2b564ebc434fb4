// Types for the parts of untyped packages that the examples use.
declare module "react-dom/client" {
  export function createRoot(container: Element): { render(node: import("react").ReactNode): void };
}
declare module "three/webgpu";

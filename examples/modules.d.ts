// Packages of the examples that bring no types: what is used of them.
declare module "react-dom/client" {
  export function createRoot(container: Element): { render(node: import("react").ReactNode): void };
}
declare module "three/webgpu";

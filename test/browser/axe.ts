// Runs axe-core on a page.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "puppeteer";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
interface Axe {
  run(): Promise<{ violations: { id: string; nodes: { html: string; target: unknown; failureSummary?: string }[] }[] }>;
}

/** Its findings, one per line, once no transition is running, since contrast during one is not meaningful. */
export async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(source);
  return page.evaluate(async () => {
    const fading = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
    // A cancelled transition rejects, and is over too.
    await Promise.allSettled(fading.map(({ finished }) => finished));
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run();
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(
        ({ html, target, failureSummary }) => `${id}: ${JSON.stringify(target)} ${html}: ${failureSummary ?? ""}`,
      ),
    );
  });
}

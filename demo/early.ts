// Loads before everything else, as a classic script that old browsers can run too. If the page cannot start, it shows
// why and what to do. Once the page's main script runs (`data-started`), that one shows errors.

// uPlot passes navigator.language to Intl while it loads. On Linux, Chrome's value is "en-US@posix" without a locale
// and "sr-RS@latin" for a locale with a modifier, and Intl throws on both. The page is in English anyway.
((): void => {
  try {
    new Intl.NumberFormat(navigator.language);
  } catch {
    Object.defineProperty(navigator, "language", { value: "en", configurable: true });
  }
})();

((): void => {
  const root = document.documentElement;
  const current = "If it fails again, open it in a current Chrome, Edge, Safari or Firefox.";
  let shown = false;

  const put = (id: string, text: string) => {
    const element = document.getElementById(id);
    if (element) element.textContent = text;
  };

  function show(title: string, message: string, hints: string[]): void {
    // Only the first error: later ones follow from it.
    if (shown || root.dataset["started"]) return;
    shown = true;
    whenParsed(() => {
      document.body.dataset["state"] = "failed";
      put("position", "Could not start.");
      put("adapter", "not checked");
      const waiting = document.getElementsByClassName("waiting");
      for (let i = 0; i < waiting.length; i++) waiting[i]!.textContent = "The page could not start.";
      put("fault-title", title);
      put("fault-message", message);
      put("fault-hints", "");
      put("fault-code", "NOT_STARTED");
      put("fault-again", "Reload the page");
      const hintsOf = document.getElementById("fault-hints");
      if (hintsOf)
        for (const hint of hints) {
          const item = document.createElement("li");
          item.textContent = hint;
          hintsOf.appendChild(item);
        }
      const again = document.getElementById("fault-again");
      const close = document.getElementById("fault-close");
      const fault = document.getElementById("fault");
      if (!again || !close || !fault) return;
      again.hidden = false;
      again.onclick = () => location.reload();
      close.onclick = () => (fault.hidden = true);
      fault.hidden = false;
    });
  }

  function whenParsed(act: () => void): void {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", act);
    else act();
  }

  /** Whether a script is the page's own: a visitor's browser extensions throw errors too. */
  const isOwn = (address: string) => address === "" || address.indexOf(`${location.origin}/`) === 0;

  const nameOf = (address: string) => address.replace(/[?#].*$/, "").replace(/^.*\//, "");

  const threw = (error: unknown) =>
    show("The page could not start", `A script ended with an error: ${String(error)}`, [
      "Reload the page: a model saved in this browser is still there.",
      current,
    ]);

  // In the capture phase, since a failed load fires an event only at its element, without bubbling.
  addEventListener(
    "error",
    (event) => {
      const { target } = event;
      if (target instanceof HTMLScriptElement || target instanceof HTMLLinkElement) {
        const address = target instanceof HTMLScriptElement ? target.src : target.href;
        const needed = target instanceof HTMLScriptElement || target.rel === "stylesheet";
        if (!needed || !isOwn(address)) return;
        show("Part of the page could not be loaded", `${nameOf(address)}, or a file it needs, is missing.`, [
          "Check the network and reload the page: a model saved in this browser is still there.",
          current,
        ]);
      } else if (isOwn(event.filename)) threw(event.error || event.message);
    },
    true,
  );
  addEventListener("unhandledrejection", ({ reason }) => threw(reason));
  // Such a browser ignores the page's own script.
  if (!("noModule" in HTMLScriptElement.prototype)) threw("this browser does not support modules");
})();

// Formats numbers in few characters.

/** A loss: 104.2, 179k, 4.6e15. */
export function shortLoss(nats: number, decimals = 1): string {
  const size = Math.abs(nats);
  if (!Number.isFinite(nats)) return "–";
  if (size >= 999_500) return nats.toExponential(1).replace(/(\.0)?e\+/, "e");
  return size >= 9999.5 ? `${(nats / 1000).toFixed(0)}k` : nats.toFixed(size < 10 ? Math.max(decimals, 2) : decimals);
}

/** Three significant digits: 0.0123, 12.3, 1,230. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

export const count = (n: number, one: string, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

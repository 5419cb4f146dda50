const FACTORS: Record<string, number> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50 },
};

/** Parses a quantity: `250m` is 0.25, `1Ki` is 1024. NaN for none. */
export function parseQuantity(text: string | number): number {
  const [, number, suffix = ''] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(String(text)) ?? [];
  const factor = FACTORS[suffix];
  return number === undefined || factor === undefined ? Number.NaN : Number(number) * factor;
}

/** Formats a quantity: CPUs in thousandths, bytes in the largest binary unit that gives a whole number. */
export function formatQuantity(value: number, resource: string): string {
  if (!/memory|storage/.test(resource))
    return Number.isInteger(value) ? String(value) : `${Math.round(value * 1000)}m`;
  for (const suffix of ['Gi', 'Mi', 'Ki']) {
    const whole = value / (FACTORS[suffix] ?? 1);
    if (value > 0 && Number.isInteger(whole)) return `${whole}${suffix}`;
  }
  return String(value);
}

import { UsageError } from '../util/error.ts';

const UNITS: Record<string, number> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  '': 1,
};

/**
 * Parses a quantity of memory, as Kubernetes writes it: `256Mi`, `1Gi`, `500M`.
 * @returns bytes.
 * @throws UsageError for anything else.
 */
export function parseMemory(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|k|M|G)?$/.exec(text) ?? [];
  if (number === undefined)
    throw new UsageError(`"${text}" is not a quantity of memory`, 'as Kubernetes writes it: 256Mi, 1Gi');
  return Number(number) * (UNITS[unit] ?? 1);
}

/**
 * Parses a quantity of CPU, as Kubernetes writes it: `500m`, `2`, `0.5`.
 * @returns cores.
 * @throws UsageError for anything else.
 */
export function parseCpu(text: string): number {
  const [, number, milli] = /^(\d+(?:\.\d+)?)(m)?$/.exec(text) ?? [];
  if (number === undefined)
    throw new UsageError(`"${text}" is not a quantity of CPU`, 'as Kubernetes writes it: 500m, 2');
  return Number(number) / (milli ? 1000 : 1);
}

import { UsageError } from './error.ts';

/** Parses a duration as kubectl does: `90s`, `5m`, `1h` or `90`. In seconds. */
export function parseDuration(text: string): number {
  const [, number, unit = 's'] = /^(\d{1,6})(s|m|h)?$/.exec(text) ?? [];
  const seconds = Number(number) * ({ s: 1, m: 60, h: 3600 }[unit] ?? Number.NaN);
  if (!(seconds > 0)) throw new UsageError(`"${text}" is not a duration`, 'write 90s, 5m or 1h');
  return seconds;
}

/** Parses a size as `du` and `curl` do: `500`, `64k`, `10m` or `1g`, with 1k = 1024. In bytes. */
export function parseSize(text: string): number {
  const [, number, unit = ''] = /^(\d{1,12})([kmg])?$/i.exec(text) ?? [];
  const factor = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit.toLowerCase()] ?? Number.NaN;
  const bytes = number === undefined ? Number.NaN : Number(number) * factor;
  if (!Number.isSafeInteger(bytes))
    throw new UsageError(`"${text}" is not a size`, 'write 500, 64k, 10m or 1g');
  return bytes;
}

/** Parses the number of a TCP port. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) {
    throw new UsageError(`"${text}" is not a port number`, 'a port is a number from 1 to 65535');
  }
  return port;
}

/** Prints an object's fields by dotted paths, one per line. A path passes through lists: `items.metadata.name`. */
export function project(object: unknown, paths: string[]): string {
  return paths.map((path) => `${path}: ${write(path, pick(object, path.split('.')))}`).join('\n');
}

function pick(value: unknown, [first, ...rest]: string[]): unknown {
  if (first === undefined) return value;
  if (Array.isArray(value)) return value.map((item) => pick(item, [first, ...rest]));
  if (value === null || typeof value !== 'object') return undefined;
  return pick((value as Record<string, unknown>)[first], rest);
}

function write(path: string, value: unknown): string {
  if (path.endsWith('conditions') && value) return `\n${writeConditions(value as Condition[])}`;
  return JSON.stringify(value, sortKeys) ?? 'none';
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

/** Sorts conditions by type, as their order has no meaning. */
function writeConditions(conditions: Condition[] | Condition[][]): string {
  return (
    conditions
      .flat()
      // Pods have this condition since 1.29.
      .filter(({ type }) => type !== 'PodReadyToStartContainers')
      .map(({ type, status, reason, message }) =>
        `  ${type}=${status} ${reason ?? ''} ${message ?? ''}`.trimEnd(),
      )
      .sort()
      .join('\n')
  );
}

function sortKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

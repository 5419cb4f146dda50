/** What differs between clusters or runs, and is not compared. */
export interface Particulars {
  namespace: string;
  image: string;
  node: string;
  directory: string;
}

/** The characters of Kubernetes' generated names and hashes. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

const PATTERNS: [RegExp, string][] = [
  // Old versions print a null creationTimestamp for templates.
  [/"creationTimestamp":null,?/g, ''],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, 'TIME'],
  [/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, 'TIME'],
  [/\b(\w+:\/\/)?(sha256:)?[0-9a-f]{64}\b/g, 'ID'],
  [/\b(?!127\.0\.0\.1|0\.0\.0\.0)\d{1,3}(\.\d{1,3}){3}\b/g, 'IP'],
  [/(127\.0\.0\.1|\[::1\]|localhost):\d{4,5}(?= ->|\/|\b)/g, '$1:PORT'],
  [new RegExp(`([-=])[${SAFE}]{8,10}(?![a-z0-9])`, 'g'), '$1HASH'],
  [new RegExp(`-[${SAFE}]{5}(?![a-z0-9])`, 'g'), '-RAND'],
  [/(?<=^|[ (])(\d+[dhms])+(?=$|[ )])|<invalid>/gm, 'AGE'],
  [/(Handling connection for )\d+/g, '$1PORT'],
  [/\(x\d+ over /g, '(xN over '],
  [/[ \t]{2,}/g, '  '],
  [/[ \t]+$/gm, ''],
];

/** Replaces in a cluster's output what cannot be equal. */
export function normalize(text: string, { namespace, image, node, directory }: Particulars): string {
  const named = text
    .replaceAll(namespace, 'NS')
    .replaceAll(`docker.io/${image}`, 'IMAGE')
    .replaceAll(`docker.io/library/${image}`, 'IMAGE')
    .replaceAll(image, 'IMAGE')
    .replaceAll(directory, 'DIR')
    .replace(new RegExp(`(?<![\\w-])${node}(?! cluster|[\\w-])`, 'g'), 'NODE');
  return PATTERNS.reduce((seen, [pattern, word]) => seen.replace(pattern, word), named).trim();
}

/** Removes kubectl's warnings about versions and the API server's about deprecations. */
export function withoutRemarks(stderr: string): string {
  const remark = /^(warning: |[IWE]\d{4} )/i;
  return stderr
    .split('\n')
    .filter((line) => !remark.test(line))
    .join('\n');
}

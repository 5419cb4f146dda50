/** The syntax of names, and Kubernetes' messages about it (k8s.io/apimachinery/pkg/util/validation). */

/** Returns the errors of a name, as sentences. */
export type Rule = (value: string) => string[];

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const ENDS = 'and must start and end with an alphanumeric character';

function rule(pattern: string, says: string, examples: string[], most: number): Rule {
  const form = new RegExp(`^(${pattern})$`);
  const words = `${says} (e.g. '${examples.join("',  or '")}', regex used for validation is '${pattern}')`;
  return (value) => [
    ...(value.length > most ? [`must be no more than ${most} characters`] : []),
    ...(form.test(value) ? [] : [words]),
  ];
}

export const dnsLabel = rule(
  LABEL,
  `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', ${ENDS}`,
  ['my-name', '123-abc'],
  63,
);

export const dnsSubdomain = rule(
  `${LABEL}(\\.${LABEL})*`,
  `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', ${ENDS}`,
  ['example.com'],
  253,
);

export const dns1035Label = rule(
  '[a-z]([-a-z0-9]*[a-z0-9])?',
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  ['my-name', 'abc-123'],
  63,
);

export const labelValue = rule(
  `(${QUALIFIED})?`,
  `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', ${ENDS}`,
  ['MyValue', 'my_value', '12345'],
  63,
);

export const envName = rule(
  '[-._a-zA-Z][-._a-zA-Z0-9]*',
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
  ['my.env-name', 'MY_ENV.NAME', 'MyEnvName1'],
  Number.POSITIVE_INFINITY,
);

const namePart = rule(
  QUALIFIED,
  `name part must consist of alphanumeric characters, '-', '_' or '.', ${ENDS}`,
  ['MyName', 'my.name', '123-abc'],
  63,
);

/** A key of a label or an annotation: a name with an optional domain before it. */
export const labelKey: Rule = (value) => {
  const [name = '', prefix, more] = value.split('/').reverse();
  if (more !== undefined)
    return [
      `a qualified name ${namePart('')[0]?.slice('name part '.length)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const ofPrefix = prefix === '' ? ['prefix part must be non-empty'] : prefixErrors(prefix);
  if (name === '') return [...ofPrefix, 'name part must be non-empty', ...namePart('')];
  return [...ofPrefix, ...namePart(name).map((words) => words.replace(/^must/, 'name part must'))];
};

function prefixErrors(prefix: string | undefined): string[] {
  return prefix === undefined ? [] : dnsSubdomain(prefix).map((words) => `prefix part ${words}`);
}

/** The name of a container's port. */
export const portName: Rule = (value) => [
  ...(value.length > 15 ? ['must be no more than 15 characters'] : []),
  ...(/^[-a-z0-9]+$/.test(value)
    ? []
    : ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
  ...(/[a-z]/.test(value) ? [] : ['must contain at least one letter or number (a-z, 0-9)']),
  ...(value.includes('--') ? ['must not contain consecutive hyphens'] : []),
  ...(/^-|-$/.test(value) ? ['must not begin or end with a hyphen'] : []),
];

/** A name that is one segment of a path, as RBAC's kinds have. */
export const pathSegment: Rule = (value) => {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((letter) => value.includes(letter)).map((letter) => `may not contain '${letter}'`);
};

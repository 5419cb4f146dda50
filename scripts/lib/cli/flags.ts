/**
 * The one table of flags. Parsing, the types of flags, `--help`, the README's tables and shell completion come from it.
 * It is the lowest room above util, so that every room may use the types.
 */
export const COMMAND_NAMES = ['on', 'off', 'list', 'attach', 'capture', 'watch', 'flows', 'gc'] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** The headings of `--help`, in this order. */
export const SECTIONS = [
  'Capture',
  'Flows',
  'Taps',
  'Tap',
  'Traffic',
  'View',
  'Proxy',
  'Cluster',
  'General',
] as const;

/** What a shell completes a value with: names from the cluster, paths, or these words. */
type Completion = 'namespace' | 'context' | 'port' | 'secret' | 'file' | 'folder' | readonly string[];

/** A row of the table. Text between backquotes is code: README shows it as such, `--help` without the quotes. */
export interface Flag {
  name: string;
  short?: string;
  /** What stands for the value in help. A flag without it is a switch. */
  value?: string;
  repeatable?: true;
  commands: readonly CommandName[];
  section: (typeof SECTIONS)[number];
  default?: string;
  /** What it does, in one short sentence without a full stop. */
  help: string;
  /** What README says besides, in Markdown. */
  more?: string;
  completes?: Completion;
  /** A command that we tell the user to run gets the value that this one was given. */
  inherited?: true;
}

/** What reads the traffic of a capture that asks for nothing else. */
export const DEFAULT_ENGINE = 'mitmdump';

const TAPPING = ['on', 'capture'] as const;
/** The commands that change a tap, or the pods of one. */
const CHANGING = ['on', 'off', 'attach', 'capture', 'watch', 'gc'] as const;
const ON_CLUSTER = [...CHANGING, 'list'] as const;

export const FLAGS = [
  {
    name: 'port',
    short: 'p',
    value: 'PORT',
    repeatable: true,
    commands: TAPPING,
    section: 'Tap',
    help: "The Service's port, by number or name",
    completes: 'port',
  },
  {
    name: 'protocol',
    value: 'PROTOCOL',
    commands: TAPPING,
    section: 'Tap',
    help: 'What clients speak: `auto`, `http`, `https`, `h2c` or `tcp`',
    default: '`auto`',
    more: 'See [Protocols](docs/protocols.md).',
    completes: ['auto', 'http', 'https', 'h2c', 'tcp'],
  },
  {
    name: 'no-restart',
    commands: TAPPING,
    section: 'Tap',
    help: 'Add the proxy to the running pods, as an ephemeral container; restart no pod',
    more: 'See [Without a restart](docs/workloads.md#without-a-restart).',
  },
  {
    name: 'replace-pods',
    commands: TAPPING,
    section: 'Tap',
    help: 'Evict, one at a time, the pods that do not follow a change of their template',
    more: 'This happens when the tap begins and when it ends.',
  },
  {
    name: 'isolate',
    commands: ['on'],
    section: 'Tap',
    help: 'Send all traffic of the Service to one pod, through the proxy',
    more: 'Name the pod: `on pod/web-1 --isolate`.',
  },
  {
    name: 'dry-run',
    commands: ['on'],
    section: 'Tap',
    help: 'Print the plan and its patches as YAML; change nothing',
  },
  {
    name: 'output',
    short: 'o',
    value: 'FILE',
    commands: ['capture'],
    section: 'Capture',
    help: 'Write the flows to this file; `-` is stdout',
    default: '`SERVICE-TIME.mitm`',
    more: 'An existing file is overwritten. Only you can read it.',
    completes: 'file',
  },
  {
    name: 'for',
    value: 'DURATION',
    commands: ['capture'],
    section: 'Capture',
    help: 'Stop after this time: `90s`, `5m`, `1h`',
  },
  {
    name: 'count',
    value: 'N',
    commands: ['capture'],
    section: 'Capture',
    help: 'Stop after N flows',
  },
  {
    name: 'max-size',
    value: 'SIZE',
    commands: ['capture'],
    section: 'Capture',
    help: 'Stop before the file is larger: `64k`, `10m`, `1g`',
  },
  {
    name: 'filter',
    value: 'EXPRESSION',
    commands: ['capture'],
    section: 'Capture',
    help: "Keep only the flows that match, as in mitmproxy: `'~m POST & ~c 5..'`",
    more: 'See [mitmproxy](https://docs.mitmproxy.org/stable/concepts/filters/). With `--body-limit`, `~b` matches only the part of a body that is kept.',
  },
  {
    name: 'body-limit',
    value: 'SIZE',
    commands: ['capture'],
    section: 'Capture',
    help: 'Keep at most this much of each body or message; the traffic is not changed',
    more: 'The comment of a flow says if a body was cut.',
  },
  {
    name: 'engine',
    value: 'ENGINE',
    commands: ['capture'],
    section: 'Capture',
    help: 'What reads the traffic: `wire` on this machine, from copies of bytes, or `mitmdump` in the pods',
    default: `\`${DEFAULT_ENGINE}\``,
    more: 'What changes the traffic or ends TLS needs `mitmdump`, and chooses it. See [Engines](#captures).',
    completes: ['wire', 'mitmdump'],
  },
  {
    name: 'modify-headers',
    value: 'PATTERN',
    repeatable: true,
    commands: TAPPING,
    section: 'Traffic',
    help: "Set or remove a header, as in mitmproxy: `'/~q/X-Debug/1'`",
    more: 'See [mitmproxy](https://docs.mitmproxy.org/stable/overview/features/#modify-headers).',
  },
  {
    name: 'modify-body',
    value: 'PATTERN',
    repeatable: true,
    commands: TAPPING,
    section: 'Traffic',
    help: "Replace text in bodies, as in mitmproxy: `'/~s/old/new'`",
    more: 'See [mitmproxy](https://docs.mitmproxy.org/stable/overview/features/#modify-body).',
  },
  {
    name: 'map-remote',
    value: 'PATTERN',
    repeatable: true,
    commands: TAPPING,
    section: 'Traffic',
    help: "Send requests to another address, as in mitmproxy: `'|/api/|http://other:8080/'`",
    more: 'See [mitmproxy](https://docs.mitmproxy.org/stable/overview/features/#map-remote).',
  },
  {
    name: 'script',
    value: 'FILE',
    repeatable: true,
    commands: TAPPING,
    section: 'Traffic',
    help: 'Run this mitmproxy script in the proxy',
    more: 'The file is sent to the pods. It may have 128 KiB, in gzip and Base64.',
    completes: 'file',
  },
  {
    name: 'replay',
    value: 'FILE',
    repeatable: true,
    commands: TAPPING,
    section: 'Traffic',
    help: 'Answer the requests in this flow file from it, as often as asked; others go to the app',
    more: 'The same size limit as for a script.',
    completes: 'file',
  },
  {
    name: 'forwarded',
    commands: TAPPING,
    section: 'Traffic',
    help: 'Tell the app who asks, in `X-Forwarded-For` and `X-Forwarded-Proto`',
  },
  {
    name: 'tls-secret',
    value: 'SECRET',
    commands: TAPPING,
    section: 'Traffic',
    help: "Show clients the certificate of this Secret, the app's own",
    completes: 'secret',
  },
  {
    name: 'client-tls-secret',
    value: 'SECRET',
    commands: TAPPING,
    section: 'Traffic',
    help: 'Show the app the certificate of this Secret, if it speaks TLS',
    completes: 'secret',
  },
  {
    name: 'intercept',
    value: 'EXPRESSION',
    commands: ['on'],
    section: 'Traffic',
    help: "Hold what matches until you press `a`: `'~q & ~m POST'` holds requests",
    more: 'Without `~q` it holds the responses too.',
  },
  {
    name: 'fail-closed',
    commands: TAPPING,
    section: 'Traffic',
    help: 'Reset connections that mitmproxy is to change and cannot serve; by default they pass unchanged',
  },
  {
    name: 'sample',
    value: 'PERCENT',
    commands: TAPPING,
    section: 'Traffic',
    help: 'Show only this share of the connections: `10%`; all of them pass',
  },
  {
    name: 'web',
    commands: ['on'],
    section: 'View',
    help: "Open mitmproxy's web interface in your browser, on a local port",
    more: 'Its address, with the token, is printed on stdout.',
  },
  {
    name: 'detach',
    commands: ['on'],
    section: 'View',
    help: 'Leave the tap on and return; works without a terminal',
  },
  {
    name: 'watch-detached',
    commands: ['on'],
    section: 'View',
    help: 'With `--no-restart` or `--isolate`: serve new pods from a watcher in tmux',
    more: '`--detach` then needs it.',
  },
  {
    name: 'no-tmux',
    commands: ['on', 'attach'],
    section: 'View',
    help: 'Show the mitmproxy of one pod in this terminal, without tmux',
  },
  {
    name: 'filter',
    value: 'EXPRESSION',
    commands: ['flows'],
    section: 'Flows',
    help: "Show only the flows that match, as in mitmproxy: `'~m POST & ~c 5..'`",
  },
  {
    name: 'output',
    short: 'o',
    value: 'FORMAT',
    commands: ['flows'],
    section: 'Flows',
    help: '`table`, `wide`, `summary`, `jsonl`, `har`, `curl` or `html`; for diff `table` or `json`',
    default: '`table`',
    completes: ['table', 'wide', 'summary', 'jsonl', 'har', 'curl', 'html'],
  },
  {
    name: 'sort',
    value: 'FIELD',
    commands: ['flows'],
    section: 'Flows',
    help: 'Sort by `time`, `latency`, `status`, `size`, `path` or `method`; `--sort=-FIELD` reverses',
    completes: ['time', 'latency', 'status', 'size', 'path', 'method'],
  },
  {
    name: 'limit',
    value: 'N',
    commands: ['flows'],
    section: 'Flows',
    help: 'Show only the first N flows',
  },
  {
    name: 'redact',
    commands: ['flows'],
    section: 'Flows',
    help: 'Mask credentials',
  },
  {
    name: 'redact-name',
    value: 'NAME',
    repeatable: true,
    commands: ['flows'],
    section: 'Flows',
    help: 'Also mask the values of fields with this name',
  },
  {
    name: 'redact-pattern',
    value: 'REGEX',
    repeatable: true,
    commands: ['flows'],
    section: 'Flows',
    help: 'Also mask what matches this regular expression',
  },
  {
    name: 'write',
    short: 'w',
    value: 'FILE',
    commands: ['flows'],
    section: 'Flows',
    help: 'Write the flows to a flow file; `-` is stdout',
    completes: 'file',
  },
  {
    name: 'exit-code',
    commands: ['flows'],
    section: 'Flows',
    help: 'For diff: exit with 1 if there are differences',
  },
  {
    name: 'all',
    commands: ['off'],
    section: 'Taps',
    help: 'End every tap of the namespace',
  },
  {
    name: 'all-namespaces',
    short: 'A',
    commands: ['off'],
    section: 'Taps',
    help: 'With `--all`: end every tap of all namespaces',
  },
  {
    name: 'all-namespaces',
    short: 'A',
    commands: ['list', 'gc'],
    section: 'Taps',
    help: 'Look in all namespaces',
  },
  {
    name: 'output',
    short: 'o',
    value: 'FORMAT',
    commands: ['list'],
    section: 'Taps',
    help: '`wide`, `json` or `name`',
    completes: ['wide', 'json', 'name'],
  },
  {
    name: 'older-than',
    value: 'DURATION',
    commands: ['gc'],
    section: 'Taps',
    help: 'Also end every tap of this age or older: `90s`, `5m`, `2h`',
  },
  {
    name: 'dry-run',
    commands: ['gc'],
    section: 'Taps',
    help: 'Print which taps would be ended; change nothing',
  },
  {
    name: 'listen-port',
    value: 'PORT',
    commands: TAPPING,
    section: 'Proxy',
    help: 'The port on which the proxy listens in the pods',
    default: '7777, or the next free one',
  },
  {
    name: 'image',
    value: 'IMAGE',
    commands: TAPPING,
    section: 'Proxy',
    help: "mitmproxy's image",
    default: '`$MITTENS_IMAGE`, or `mitmproxy/mitmproxy:12.2.3`',
    more: 'mitmproxy 11 and later work.',
  },
  {
    name: 'proxy-cpu',
    value: 'QUANTITY',
    commands: TAPPING,
    section: 'Proxy',
    help: "The limit of CPU of the proxy's container: `500m`, `2`",
    default: '`1`',
    more: 'Without a restart there is none: an ephemeral container can have no limits.',
  },
  {
    name: 'proxy-memory',
    value: 'QUANTITY',
    commands: TAPPING,
    section: 'Proxy',
    help: "The limit of memory of the proxy's container: `256Mi`, `1Gi`",
    default: '`512Mi`',
    more: 'Without a restart there is none.',
  },
  {
    name: 'image-pull-policy',
    value: 'POLICY',
    commands: TAPPING,
    section: 'Proxy',
    help: '`Always`, `IfNotPresent` or `Never`',
    default: '`IfNotPresent`',
    completes: ['Always', 'IfNotPresent', 'Never'],
  },
  {
    name: 'templates',
    value: 'FOLDER',
    commands: CHANGING,
    section: 'Proxy',
    help: 'Your own templates; each file replaces the built-in one of that name',
    more: 'See [templates](templates/). Give `off`, `attach`, `watch` and `gc` the same folder as `on`.',
    completes: 'folder',
    inherited: true,
  },
  {
    name: 'timeout',
    value: 'DURATION',
    commands: CHANGING,
    section: 'Proxy',
    help: 'How long pods may take to roll, or a proxy to listen: `90s`, `5m`, `1h`',
    default: '`5m`',
  },
  {
    name: 'namespace',
    short: 'n',
    value: 'NAMESPACE',
    commands: ON_CLUSTER,
    section: 'Cluster',
    help: 'The namespace of the Service',
    default: "the context's",
    completes: 'namespace',
    inherited: true,
  },
  {
    name: 'context',
    value: 'CONTEXT',
    commands: ON_CLUSTER,
    section: 'Cluster',
    help: 'The kubeconfig context to use',
    completes: 'context',
    inherited: true,
  },
  {
    name: 'kubeconfig',
    value: 'FILE',
    commands: ON_CLUSTER,
    section: 'Cluster',
    help: 'The kubeconfig file to use',
    completes: 'file',
    inherited: true,
  },
  {
    name: 'as',
    value: 'USER',
    commands: ON_CLUSTER,
    section: 'Cluster',
    help: 'The user to impersonate',
    inherited: true,
  },
  {
    name: 'help',
    short: 'h',
    commands: COMMAND_NAMES,
    section: 'General',
    help: 'Show this help',
  },
] as const satisfies readonly Flag[];

type Row = (typeof FLAGS)[number];
type RowFor<C extends CommandName, R extends Row = Row> = R extends Row
  ? C extends R['commands'][number]
    ? R
    : never
  : never;
type Value<R extends Row> = R extends { repeatable: true }
  ? string[]
  : R extends { value: string }
    ? string
    : boolean;

/** The flags of a command as they are given to it. */
export type Flags<C extends CommandName> = { [R in RowFor<C> as R['name']]?: Value<R> | undefined };

/** The flags that `on` and `capture` share. */
export type TapFlags = Pick<Flags<'on'>, keyof Flags<'on'> & keyof Flags<'capture'>>;

/** The rows of a command, in the order of the table. */
export function listFlags(command: CommandName): Flag[] {
  const flags: readonly Flag[] = FLAGS;
  return flags.filter(({ commands }) => commands.includes(command));
}

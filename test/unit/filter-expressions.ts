/** Pseudorandom numbers from 0 to 1, the same in every run. */
function createRandom(): () => number {
  let seed = 7;
  return () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
}

const PLAIN = 'all a e http tcp udp websocket marked q s replay replayq replays'.split(' ');
const WITH_REGEX = 'b bq bs h hq hs t tq ts m d u src dst meta marker comment'.split(' ');
const REGEXES = [
  ...[
    'GET',
    'post',
    'Shop',
    '/orders',
    'css',
    'WORLD',
    '^http',
    '17$',
    '.',
    '\\d+',
    '[a-f]+',
    '5..',
    '\\w+',
    '^$',
  ],
  ...[
    'Fäust',
    'ÄUST',
    '"F\\\\w+ust"',
    '"host: SHOP"',
    "'it\\\\'s'",
    '"(post|put)"',
    'a|b',
    'GET|PUT',
    '!x',
    'x&y',
  ],
  ...[
    '&',
    '|',
    'a!b',
    '"a\\tb"',
    '"\\\\xff"',
    '"\\\\xE4"',
    '(?i)x',
    '"[^\\\\x80-\\\\xff]"',
    ':STAR:',
    'Seen',
    'who',
  ],
  ...[
    '22',
    'address',
    '[^/]+$',
    'Binary',
    'x{1,2}',
    '(a)',
    '"unclosed',
    "'",
    '~',
    '()',
    '\u00a0x',
    'é',
    'localhost',
  ],
];
const STATUSES = [
  '200',
  '404',
  '503',
  '0200',
  '20',
  '404|~c',
  '404&~http',
  '404|~c 500',
  '200!~e',
  '',
  '200 300',
];

/** Random filters, some of them invalid: the same in every run. */
export function generateExpressions(count: number): string[] {
  const random = createRandom();
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const atom = () => {
    const dice = random();
    if (dice < 0.25) return `~${pick(PLAIN)}`;
    if (dice < 0.7) return `~${pick(WITH_REGEX)}${pick([' ', '  ', '\t', ''])}${pick(REGEXES)}`;
    return dice < 0.85 ? `~c ${pick(STATUSES)}` : pick(REGEXES);
  };
  const expression = (depth: number): string => {
    const dice = random();
    if (depth === 0 || dice < 0.5) return atom();
    if (dice < 0.6) return pick(['!', '! ']) + expression(depth - 1);
    const operator = pick([' & ', '&', ' &', ' | ', '|', ' |', ' ']);
    return expression(depth - 1) + operator + expression(depth - 1);
  };
  const damage = (text: string) => {
    const at = Math.floor(random() * (text.length + 1));
    const insert = random() < 0.5 ? pick([...'()&|!~"\' \\.*ac']) : '';
    return text.slice(0, at) + insert + text.slice(insert ? at : at + 1);
  };
  return Array.from({ length: count }, () => {
    const text = expression(3);
    return random() < 0.2 ? damage(text) : text;
  });
}

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseFilter } from '../../scripts/lib/flow/filter.ts';
import type { Flow } from '../../scripts/lib/flow/flow.ts';
import { readFlows } from '../../scripts/lib/formats/read.ts';
import { UsageError } from '../../scripts/lib/util/error.ts';
import { python } from '../flows/python.ts';
import { generateExpressions } from './filter-expressions.ts';
import { http } from './report-flows.ts';

/** Writes flows of every kind to a file, and prints which of them each expression matches. */
const MATCH = `
import json, re, sys, gzip
from mitmproxy import flowfilter, http
from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow, tutils

flows = []
def add(f, **fields):
    for name, value in fields.items():
        setattr(f, name, value)
    flows.append(f)
    return f

def request(method, path, headers=(), content=b"", host="localhost", version=b"HTTP/1.1", authority=b""):
    return tutils.treq(method=method, path=path, headers=http.Headers(headers), content=content, host=host, port=8080,
                       http_version=version, authority=authority)

def response(status, headers=(), content=b""):
    return tutils.tresp(status_code=status, headers=http.Headers(headers), content=content)

def flow(req, resp=False, **fields):
    return add(tflow.tflow(req=req, resp=resp), **fields)

html = [(b"Content-Type", b"text/html; charset=utf-8")]
flow(request(b"GET", b"/", [(b"Host", b"shop")]), response(200, html, b"<h1>Hello</h1>\\nWorld"))
flow(request(b"POST", b"/orders?x=1", [(b"Host", b"shop:80"), (b"content-type", b"application/json")], b'{"a": 1}'), response(201))
flow(request(b"POST", b"/healthz", [(b"Host", b"shop:8080")]), response(503, [], b"\\xff\\x00binary"))
flow(request(b"DELETE", b"/orders/17", [(b"HOST", b"Shop.Example"), (b"X-Name", b"F\\xc3\\xa4ustling")]), response(404))
flow(request(b"GET", b"/style.css", [(b"Host", b"shop")]), response(200, [(b"content-type", b"text/css")], b"a{}"))
flow(request(b"GET", b"/logo", [(b"Host", b"shop")]), response(200, [(b"content-type", b"image/png")], b"\\x89PNG\\r\\n"))
flow(request(b"GET", b"/zip", [(b"Host", b"shop")]), response(200, [(b"content-encoding", b"gzip")], gzip.compress(b"zipped words")))
flow(request(b"GET", b"/badzip", [(b"Host", b"shop")]), response(200, [(b"content-encoding", b"gzip")], b"no zip"))
flow(request(b"PUT", b"/two", [(b":x", b"y")], b"multi\\nline", version=b"HTTP/2.0", authority=b"two.example:8080"), response(500))
flow(request(b"GET", b"/pending"), False)
add(tflow.tflow(err=True))
flow(request(b"GET", b"/marked"), response(200), marked=":star:", comment="seen\\nbefore", metadata={"who": "me", "n": 1})
flow(request(b"GET", b"/replayed"), response(200), is_replay="request")
flow(request(b"GET", b"/replayed"), response(200), is_replay="response")
add(tflow.twebsocketflow())
add(tflow.ttcpflow())
add(tflow.ttcpflow(err=True))
if hasattr(tflow, "tudpflow"): add(tflow.tudpflow())
for i, f in enumerate(flows):
    f.id = str(i)
with open(sys.argv[1], "wb") as file:
    writer = FlowWriter(file)
    for f in flows:
        writer.add(f)
# mitmproxy 12 ignores case everywhere. So do we, whatever mitmproxy is installed.
for rex in flowfilter.filter_rex:
    rex.flags = rex.flags | re.IGNORECASE
matches = []
for expression in json.load(open(sys.argv[2])):
    try:
        parsed = flowfilter.parse(expression)
        if parsed is None: raise ValueError()
        matches.append([f.id for f in flows if parsed(f)])
    except ValueError:
        matches.append(None)
print(json.dumps(matches))
`;

const UNARY = '~all ~a ~e ~http ~tcp ~websocket ~marked ~q ~s ~replay ~replayq ~replays'.split(' ');
const WITH_EXPRESSION = [
  ...[
    '~m POST',
    '~m post',
    '~m ^P',
    '~m "GET|PUT"',
    '~m GET|PUT',
    '~d shop',
    '~d SHOP',
    '~d ^localhost$',
    '~d two',
  ],
  ...[
    '~u /orders',
    '~u "orders\\?x"',
    '~u :8080',
    '~u shop:80/',
    '~u ^http://shop/',
    '~u "\\\\d+$"',
    '/ORDERS',
    'orders',
  ],
  ...[
    '~c 200',
    '~c 404',
    '~c 0200',
    '~c 404|~c 500',
    '~c 404&~http',
    '~c 404&!~http',
    '~h Host',
    '~h "(?i)host: shop$"',
    '~hq "^X-Name"',
    '~hs "gzip.$"',
    '~hs "image/png"',
  ],
  ...[
    '~h Fäust',
    '~h "F\\\\w+ust"',
    '~h "F..ust"',
    '~t json',
    '~t "^text/html"',
    '~tq json',
    '~ts json',
    '~ts css',
  ],
  ...[
    '~b Hello.*World',
    '~b zipped',
    '~b "no zip"',
    '~bq \'"a": 1\'',
    '~bs PNG',
    '~b "\\\\xff"',
    '~b "\\\\x00bin"',
  ],
  ...[
    '~b "^line"',
    '~b "(?m)^line"',
    '~bq "(?m)^line$"',
    '~b "hello$"',
    "~b it's",
    '~bq hello',
    '~bs "it.s me"',
  ],
  ...[
    '~src 127.0.0.1',
    '~src ":22$"',
    '~dst address',
    '~dst 22',
    '~meta who',
    '~meta "^n: 1$"',
    '~meta "^who: me$"',
  ],
  ...[
    '~marker star',
    '~marker .',
    '~marker ""',
    '~comment ^before',
    '~comment "seen$"',
    '~comment seen.before',
  ],
];
const REGEXES = [
  ...[
    'a{2}',
    'o{1,2}r',
    'r{,1}d',
    'x{',
    '{',
    '}',
    ']',
    '[]]',
    '[^/]+$',
    '[a-f]+',
    '[[]',
    'a\\b',
    '\\Ahttp',
    '17\\Z',
  ],
  ...[
    '(?P<x>o)rde(?P=x)?',
    '(o)r\\1?',
    '(?:o|p)r',
    '(?=o)o',
    '(?!p)o',
    '(?<=/)o',
    '(?<!/)o',
    '(?#no)o',
    '\\d',
    '\\D',
    '\\w+',
  ],
  ...[
    '[\\d/]+$',
    '[\\w]',
    '\\.',
    '\\/',
    '\\-',
    '\\:',
    '\\e',
    '\\x6f',
    '\\u006f',
    '\\157',
    '\\o',
    '(',
    ')',
    '[',
    '*',
    'a**',
  ],
  ...[
    '(?i)ORDERS',
    '(?s)o.d',
    '(?x)o',
    '\\Q',
    '(?P<1>o)',
    'o++',
    'o*?',
    '$',
    '^',
    '\\$',
    'a|',
    '|',
    '[a-',
    '[z-a]',
    '\\',
  ],
].map((regex) => `~u '${regex.replaceAll('\\', '\\\\')}'`);
const COMBINED = [
  ...['~m POST & ~c 503', '~m POST & !~u /healthz', '!~m POST', '! ~m POST', '!!~m POST', '~m POST | ~m PUT'],
  ...[
    '~m POST | ~m PUT & ~c 500',
    '(~m POST | ~m PUT ) & ~c 500',
    '~m POST ~c 201',
    '~m POST !~c 201 | ~e',
    '~q | ~e',
  ],
  ...[
    '!(~m POST)',
    '(~m POST)',
    '((~m POST))',
    '(~m POST) (~c 201)',
    '~m POST & (~c 201 | ~c 503)',
    'a & b',
    '"a b"',
    "'/'",
  ],
  ...[
    '~tcp | ~websocket',
    '!~http',
    '~http & !~s',
    '~e & ~tcp',
    '  ~all  ',
    '\n~all\n',
    '~all & !~all',
    'orders !17',
  ],
];
const REFUSED = [
  ...[
    '',
    '~',
    '~x',
    '~unknown',
    '~m',
    '~c',
    '~c x',
    '(',
    ')',
    '()',
    '(~m POST',
    '~m POST)',
    '!',
    '&',
    '| ~m POST',
  ],
  ...[
    '~m POST &',
    '~m POST |',
    '"',
    "'",
    '"unclosed',
    '~m "unclosed',
    '~m "("',
    '~h',
    '~b',
    '~allx',
    '~m ~c 200',
    '~m ()',
  ],
];
/** Filters by chance: more than anyone would write. */
const RANDOM = generateExpressions(1700);
const EXPRESSIONS = [...UNARY, ...WITH_EXPRESSION, ...REGEXES, ...COMBINED, ...REFUSED];

/** The expressions that we read differently on purpose. */
const OURS: Record<string, string> = {
  '~c 5..': 'a status is a regular expression',
  "~u '(?x)o'": 'we refuse verbose expressions, which JavaScript does not have',
  "~u 'o++'": 'we refuse possessive quantifiers, which JavaScript does not have',
  '!': 'we refuse an operator without a term; mitmproxy searches for it in the URL',
  '~m POST &': 'we refuse an operator without a term; mitmproxy searches for it in the URL',
  '~m POST |': 'we refuse an operator without a term; mitmproxy searches for it in the URL',
};

function ours(expression: string, flows: Flow[]): string[] | null {
  try {
    const filter = parseFilter(expression);
    return flows.filter(filter).map(({ id }) => id);
  } catch (error) {
    assert.ok(error instanceof UsageError, `${expression}: ${error}`);
    return null;
  }
}

describe('parseFilter', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mittens-filter-'));
  const flows: Flow[] = [];
  let theirs: (string[] | null)[] = [];
  before(async () => {
    const file = join(folder, 'flows.mitm');
    const input = join(folder, 'expressions.json');
    writeFileSync(input, JSON.stringify([...EXPRESSIONS, ...RANDOM]));
    theirs = JSON.parse(String(await python(MATCH, file, input)));
    for await (const { flow } of readFlows(file, () => assert.fail('truncated'))) flows.push(flow);
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [index, expression] of EXPRESSIONS.entries()) {
    if (Object.hasOwn(OURS, expression)) continue;
    it(`matches the same flows as mitmproxy for ${JSON.stringify(expression)}`, () => {
      assert.deepEqual(ours(expression, flows), theirs[index]);
    });
  }

  it('matches the same flows as mitmproxy for 1,700 random expressions', () => {
    let same = 0;
    for (const [index, expression] of RANDOM.entries()) {
      const [mine, wanted] = [ours(expression, flows), theirs[EXPRESSIONS.length + index]];
      if (JSON.stringify(mine) === JSON.stringify(wanted)) same++;
      // Our two extensions: a status may be a regular expression, and parentheses may hold several terms.
      else assert.ok((mine === null || wanted === null) && /~c|\(/.test(expression), expression);
    }
    assert.ok(same > 1600, String(same));
  });

  it('compares a status as a number up to the next operator, without spaces around it', () => {
    assert.deepEqual(ours('~c 404|~c 500', flows), ours('~c 404 | ~c 500', flows));
    assert.deepEqual(ours('~c 404&~http', flows), ours('~c 404', flows));
    assert.equal(ours('~c 404', flows)?.length, 1);
  });

  it('ignores case in every operator, but for bytes only in ASCII', () => {
    const pairs = [
      ['~b HELLO', '~b hello'],
      ['~hq "HOST: sHOP"', '~hq "host: shop"'],
      ['~ts TEXT/HTML', '~ts text/html'],
      ['~src LOCALHOST|127', '~src localhost|127'],
      ['~comment SEEN', '~comment seen'],
      ['~b "[A-C]INARY"', '~b binary'],
    ];
    for (const [upper = '', lower = ''] of pairs) {
      assert.notEqual(ours(upper, flows)?.length, 0, upper);
      assert.deepEqual(ours(upper, flows), ours(lower, flows), upper);
    }
    assert.equal(ours('~hq fäUST', flows)?.length, 1);
    assert.deepEqual(ours('~hq "FÃ¤UST|FÄUST"', flows), []);
  });

  it('searches megabytes of binary data', () => {
    const flow = http({ responseBody: Buffer.concat([Buffer.alloc(2_000_000, 0xff), Buffer.from('end')]) });
    assert.equal(parseFilter('~b "\\\\xffEND"')(flow), true);
    assert.equal(parseFilter('~b "\\\\xfeEND"')(flow), false);
  });

  it('accepts a regular expression as a status', () => {
    assert.deepEqual(ours('~c 5..', flows), ours('~c 500 | ~c 503', flows));
    assert.deepEqual(ours('~c "[45].."', flows), ours('~c 404 | ~c 5..', flows));
    assert.deepEqual(ours('~c 20', flows), []);
  });

  it('refuses unsupported regular expressions, and an operator without a term', () => {
    for (const expression of ["~u '(?x)o'", "~u 'o++'", '!', '~m POST &', '~m POST |'])
      assert.equal(ours(expression, flows), null);
  });

  it('accepts several terms within parentheses, and an operator right before their end', () => {
    assert.deepEqual(ours('!(~m POST ~c 201)', flows), ours('!~m POST | !~c 201', flows));
    assert.deepEqual(ours('(~q)', flows), ours('~q', flows));
  });

  it('quotes the place where a filter is invalid', () => {
    const wrong: [string, RegExp][] = [
      ['~m POST & ~z x', /is invalid at "~z x": there is no operator ~z$/],
      ['~m', /is invalid at its end: ~m needs an expression$/],
      ['(~m POST', /is invalid at its end: a \) is missing$/],
      ['~u [z-a]', /"\[z-a\]" is not a valid regular expression: Range out of order/],
      ['~u "(?x)a"', /is not a valid regular expression: the flag x is not supported$/],
      ['~c x', /~c x matches no status$/],
      ['~c 404.', /~c 404\. matches no status$/],
      ['~u (a|b)', /at "\(a\|b\)": quote an expression with parentheses, like '\(a\|b\)'$/],
      ['('.repeat(100_000), /nested too deeply/],
      ['!'.repeat(100_000), /nested too deeply/],
    ];
    for (const [expression, message] of wrong) assert.throws(() => parseFilter(expression), message);
  });
});

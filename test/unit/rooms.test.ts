import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ROOMS = ['commands', 'session', 'capture', 'tap', 'plan', 'kube', 'formats', 'har', 'redact', 'flow'];
/** What each room may import besides util, which all may. */
const MAY_IMPORT: Record<string, string[]> = {
  commands: ROOMS,
  session: ['capture', 'tap', 'plan', 'kube'],
  capture: ['tap', 'plan', 'kube', 'flow'],
  tap: ['plan', 'kube'],
  plan: ['kube'],
  kube: [],
  formats: ['har', 'redact', 'flow'],
  har: ['flow'],
  redact: ['flow'],
  flow: [],
};
const folder = mkdtempSync(join(tmpdir(), 'mittens-rooms-'));
let found: string[] = [];

before(() => {
  cpSync(join(ROOT, 'biome.rooms.json'), join(folder, 'biome.rooms.json'));
  const { vcs: _, ...config } = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'));
  writeFileSync(join(folder, 'biome.json'), JSON.stringify(config));
  for (const from of [...ROOMS, 'util']) {
    write(`scripts/lib/${from}/child.ts`, "import 'node:child_process';");
    for (const to of [...ROOMS, 'util'])
      if (to !== from) write(`scripts/lib/${from}/to-${to}.ts`, `import type { X } from '../${to}/x.ts';`);
  }
  for (const room of [...ROOMS, 'util']) write(`scripts/to-${room}.ts`, `import './lib/${room}/x.ts';`);
  write('scripts/lib/plan/clock.ts', 'export const now = () => Date.now();');
  write('scripts/lib/plan/file.ts', "import 'node:fs';");
  write('scripts/lib/plan/random.ts', "import { createHash, randomBytes } from 'node:crypto';");
  write('scripts/lib/plan/cluster.ts', "import { Kubectl } from '../kube/kubectl.ts';");
  write('scripts/lib/tap/circle-a.ts', "import type { B } from './circle-b.ts';\nexport type A = B[];");
  write('scripts/lib/tap/circle-b.ts', "import type { A } from './circle-a.ts';\nexport type B = A[];");
  const biome = join(ROOT, 'node_modules/.bin/biome');
  const { stdout } = spawnSync(biome, ['lint', '--reporter=github', '--max-diagnostics=none', '.'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const rooms = /title=lint\/(?:style\/noRestricted\w+|suspicious\/noImportCycles),file=([^,]+)/g;
  found = [...stdout.matchAll(rooms)].map(([, file = '']) => file.slice(file.indexOf('scripts/')));
});

after(() => rmSync(folder, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), `${text}\n`);
}

for (const [from, may] of Object.entries(MAY_IMPORT)) {
  test(`make lint lets ${from}/ import only the rooms below it`, () => {
    const refused = found.filter((file) => file.startsWith(`scripts/lib/${from}/to-`));
    const above = ROOMS.filter((to) => to !== from && !may.includes(to));
    assert.deepEqual(refused.sort(), above.map((to) => `scripts/lib/${from}/to-${to}.ts`).sort());
  });
}

test('make lint lets util/ import no other room', () => {
  const refused = found.filter((file) => file.startsWith('scripts/lib/util/to-'));
  assert.deepEqual(refused.sort(), ROOMS.map((to) => `scripts/lib/util/to-${to}.ts`).sort());
});

test('make lint lets the command lines import only commands/ and util/', () => {
  const refused = found.filter((file) => file.startsWith('scripts/to-'));
  const others = ROOMS.filter((room) => room !== 'commands');
  assert.deepEqual(refused.sort(), others.map((room) => `scripts/to-${room}.ts`).sort());
});

test('make lint lets only kube/, session/ and util/ start processes', () => {
  const refused = found.filter((file) => file.endsWith('/child.ts'));
  const others = ROOMS.filter((room) => !['kube', 'session'].includes(room));
  assert.deepEqual(refused.sort(), others.map((room) => `scripts/lib/${room}/child.ts`).sort());
});

test('make lint refuses a clock, a file, a random number and kubectl in plan/', () => {
  for (const name of ['clock', 'file', 'random', 'cluster'])
    assert.ok(found.includes(`scripts/lib/plan/${name}.ts`), name);
});

test('make lint refuses files whose types import each other', () => {
  assert.ok(found.includes('scripts/lib/tap/circle-a.ts') && found.includes('scripts/lib/tap/circle-b.ts'));
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { packAddon } from '../../scripts/lib/plan/addon.ts';
import * as contract from '../../scripts/lib/plan/pod-contract.ts';
import { packTar } from '../../scripts/lib/util/tar.ts';
import { Templates } from '../../scripts/lib/util/template.ts';
import { mitmproxyProgram, python, pythonProgram } from '../flows/python.ts';
import { placeIn } from '../peers/tap.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'mittens-addon-'));
after(() => rmSync(folder, { recursive: true }));

/** A new folder with files. */
function makeFolder(files: Record<string, string> = {}): string {
  const made = mkdtempSync(join(folder, 'it-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(made, path, '..'), { recursive: true });
    writeFileSync(join(made, path), text);
  }
  return made;
}

/**
 * Runs the start of a container, whose /tmp is a folder here; PLACE in the command stands for it.
 * @returns that folder, and what the command printed.
 */
function start(env: NodeJS.ProcessEnv, ...command: string[]): { place: string; said: string } {
  const place = makeFolder();
  const script = new Templates().read('start.sh').replaceAll('/tmp/', `${place}/`);
  const args = command.map((arg) => arg.replace('PLACE', place));
  const said = execFileSync('sh', ['-c', script, 'mittens', ...args], {
    env: { PATH: process.env.PATH, MITTENS_ADDON: packAddon(new Templates()), ...env },
    encoding: 'utf8',
  });
  return { place, said };
}

function unpack(packed: string): string {
  return placeIn(start({ [contract.variables.addon]: packed }, 'true').place, contract.paths.addon);
}

/** The Python files and contract.json of a folder and below, by path. */
function readPackage(place: string): Record<string, string> {
  const paths = readdirSync(place, { recursive: true, encoding: 'utf8' }).sort();
  const files = paths.filter((path) => /\.(py|json)$/.test(path));
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(place, path), 'utf8')]));
}

describe('the addon in a pod', () => {
  it('is unpacked by start.sh as it is here', () => {
    const here = readPackage(join(ROOT, 'templates/addon'));
    assert.ok(Object.keys(here).length > 20);
    assert.deepEqual(readPackage(unpack(packAddon(new Templates()))), here);
  });

  it('can be read by its owner alone', () => {
    const place = unpack(packAddon(new Templates()));
    assert.equal(statSync(place).mode & 0o077, 0);
    assert.equal(statSync(join(place, 'script.py')).mode & 0o077, 0);
  });

  it('is loaded by mitmproxy, which passes over a script without a time', () => {
    const { place, said } = start(
      {},
      ...['sh', '-c', '"$0" "$@" 2>&1 || :', mitmproxyProgram('mitmdump'), '--set', 'server=false'],
      ...['--set', `confdir=${makeFolder()}`, '--set', `${contract.options.ports}=nonsense`],
      ...['--scripts', join(placeIn('PLACE', contract.paths.addon), 'script.py')],
    );
    assert.match(said, /nonsense is not LISTEN=PROTOCOL:APPPORT/, place);
  });

  it('travels in letters that mean nothing to Kubernetes and the shell, and that a variable can hold', () => {
    const packed = packAddon(new Templates());
    assert.match(packed, /^[A-Za-z0-9+/]+=*$/);
    // Linux, MAX_ARG_STRLEN: 128 KiB with the name.
    assert.ok(packed.length < 112 * 1024, `${packed.length}`);
  });

  it('is less than half of that where the door runs alone', () => {
    const packed = packAddon(new Templates(), 'door');
    assert.ok(packed.length < packAddon(new Templates()).length / 2, `${packed.length}`);
    const { said } = start(
      { [contract.variables.addon]: packed },
      ...['sh', '-c', '"$0" -m door --help', pythonProgram()],
    );
    assert.match(said, /--ports/);
  });

  it('makes the same bytes whenever its files were written', () => {
    const copy = makeFolder();
    cpSync(join(ROOT, 'templates/addon'), join(copy, 'addon'), { recursive: true });
    for (const path of readdirSync(join(copy, 'addon'))) utimesSync(join(copy, 'addon', path), 1, 1);
    assert.equal(packAddon(new Templates(copy)), packAddon(new Templates()));
  });

  it('takes single files from a folder of the user, and more files', () => {
    const own = makeFolder({
      'addon/limits.py': 'KEPT_FLOWS = 1\n',
      'addon/more/mine.py': '# mine\n',
      'addon/__pycache__/limits.cpython-311.pyc': 'no source',
    });
    const files = readPackage(unpack(packAddon(new Templates(own))));
    const here = readPackage(join(ROOT, 'templates/addon'));
    assert.deepEqual(files, { ...here, 'limits.py': 'KEPT_FLOWS = 1\n', 'more/mine.py': '# mine\n' });
  });

  it('is Python 3.11, and its script is Python that older versions of mitmproxy read as well', async () => {
    const parse = `
import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path).read(), feature_version=(3, 9 if path.endswith("/script.py") else 11))`;
    const here = join(ROOT, 'templates/addon');
    const modules = Object.keys(readPackage(here)).filter((path) => path.endsWith('.py'));
    await python(parse, ...modules.map((path) => join(here, path)));
  });
});

describe('the start of a container', () => {
  it('writes its process id and the files that were sent, then becomes the command', () => {
    const content = (text: string) =>
      execFileSync('sh', ['-c', 'gzip | base64 -w0'], { input: text }).toString();
    const env = { MITTENS_FILE_0: `a.py ${content('# a\n')}`, MITTENS_FILE_1: `b.mitm ${content('b')}` };
    const { place, said } = start(env, 'sh', '-c', 'echo $$');
    assert.equal(readFileSync(placeIn(place, contract.paths.pid), 'utf8'), said);
    const files = placeIn(place, contract.paths.files);
    assert.equal(readFileSync(join(files, '0/a.py'), 'utf8'), '# a\n');
    assert.equal(readFileSync(join(files, '1/b.mitm'), 'utf8'), 'b');
  });
});

describe('the names that Python, TypeScript and the shell share', () => {
  const { paths, variables, options, signals, titles } = contract;
  const shared = [paths, variables, options, titles].flatMap((group) => Object.values(group));

  it('are the same in Python', async () => {
    const script = `
import json, sys
sys.path.insert(0, sys.argv[1])
from addon import contract as c
print(json.dumps([c.READY, c.FLOWS, c.FOLLOWERS, c.POD_ADDRESS, c.PORTS_OPTION, c.BODY_LIMIT_OPTION,
    c.FORWARDED_OPTION, c.WEB_TOKEN_OPTION, c.LEAVE_SIGNAL.name, c.QUIT_TITLE]))`;
    const said = JSON.parse(String(await python(script, join(ROOT, 'templates'))));
    assert.deepEqual(said, [
      ...[paths.ready, paths.flows, paths.followers, variables.podAddress],
      ...[options.ports, options.bodyLimit, options.forwarded, options.webToken],
      ...[`SIG${signals.leave}`, titles.quit],
    ]);
  });

  it('are the same in the shell and in the templates', () => {
    const templates = ['start.sh', 'sidecar.yaml', 'ephemeral.yaml'].map((name) =>
      new Templates().read(name),
    );
    const used = new Set(templates.join('\n').match(/\/tmp\/[\w./-]+|MITTENS_[A-Z_]+/g));
    // start.sh names the folder above the addon, and the files of both certificates by one pattern: checked below.
    const { copies, control, ...others } = variables; // The door makes these two for its child.
    const expected = [paths.pid, dirname(paths.addon), paths.files, ...Object.values(others)];
    const names = [...used].map((name) => name.replace(/[./]+$/, ''));
    assert.deepEqual(new Set(names), new Set(expected));
    const pattern = /"(\/tmp\/mittens\.)\$side\.pem"/.exec(templates[0] ?? '')?.[1];
    assert.deepEqual(
      ['tls', 'client'].map((side) => `${pattern}${side}.pem`),
      [paths.serverCertificate, paths.clientCertificate],
    );
    assert.match(templates[0] ?? '', new RegExp(`^ {2}folder=${paths.certificates}/\\$side$`, 'm'));
  });

  it('are written in no other file of TypeScript', () => {
    const pattern = new RegExp(shared.map((name) => `['"\`/]${name.replaceAll('.', '\\.')}\\b`).join('|'));
    for (const room of ['scripts', 'action'])
      for (const path of readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' }))
        if (path.endsWith('.ts'))
          assert.doesNotMatch(readFileSync(join(ROOT, room, path), 'utf8'), pattern, path);
  });
});

describe('an archive', () => {
  it('is what tar unpacks, whatever the length of its files', () => {
    const files = { 'a/empty': '', 'a/block': 'x'.repeat(512), 'b/é': 'é'.repeat(1000), c: '\n' };
    const place = makeFolder();
    execFileSync('tar', ['-x', '-f', '-', '-C', place], { input: packTar(files) });
    for (const [path, text] of Object.entries(files))
      assert.equal(readFileSync(join(place, path), 'utf8'), text);
  });

  it('refuses a path that has no room', () => {
    assert.throws(() => packTar({ ['x'.repeat(101)]: '' }), /is too long for an archive/);
  });
});

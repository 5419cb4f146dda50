import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { updateTables } from '../../action/document.ts';
import { FORMATS } from '../../action/inputs.ts';
import { checkArguments, parseCommandLine } from '../../scripts/lib/cli/command-line.ts';
import { COMMAND_NAMES, type CommandName, FLAGS, listFlags } from '../../scripts/lib/cli/flags.ts';
import { writeTables } from '../../scripts/lib/cli/readme.ts';
import { chooseProtocol, PROTOCOLS } from '../../scripts/lib/plan/protocol.ts';

interface Job {
  'timeout-minutes'?: number;
  steps: { uses?: string; with?: Record<string, unknown> }[];
}

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const workflows = readdirSync(new URL('.github/workflows', ROOT)).map((name) => `.github/workflows/${name}`);
const action = load(read('action.yml')) as {
  inputs: Record<string, object>;
  outputs: Record<string, object>;
};

const blocks = ['docs/ci.md', 'README.md'].flatMap((path) =>
  [...read(path).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) => block),
);
const code = readdirSync(new URL('action', ROOT))
  .filter((name) => name.endsWith('.ts') && name !== 'document.ts')
  .map((name) => read(`action/${name}`))
  .join('\n');

/** All mappings in a YAML document, at any depth. */
function mappingsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : [value as Record<string, unknown>];
  return [...own, ...Object.values(value).flatMap(mappingsIn)];
}

describe('docs/ci.md', () => {
  it('docs/ci.md has the inputs and outputs of action.yml', () => {
    assert.equal(read('docs/ci.md'), updateTables(read('docs/ci.md')), 'make docs');
  });

  it('docs/ci.md and the workflows use only inputs and outputs that exist', () => {
    let uses = 0;
    for (const document of [...blocks, ...workflows.map(read)]) {
      for (const { uses: used, with: inputs } of mappingsIn(load(document))) {
        if (used !== './' && used !== 'OWNER/mittens@v1') continue;
        uses++;
        for (const name of Object.keys(inputs as object)) assert.ok(name in action.inputs, name);
      }
      for (const [, output = ''] of document.matchAll(/steps\.mittens\.outputs\.([\w-]+)/g))
        assert.ok(output in action.outputs, output);
    }
    assert.ok(uses >= 6, `only ${uses} steps were found`);
  });

  it('action.yml has exactly the inputs that the code reads', () => {
    for (const name of Object.keys(action.inputs))
      assert.ok(code.includes(`'${name}'`) || code.includes(`INPUT_${name.toUpperCase()}`), name);
    const names = [...code.matchAll(/\b(?:getInput|readInput|optional)\('([\w-]+)'/g)].map(
      ([, name = '']) => name,
    );
    assert.ok(names.length >= 20, `only ${names.length} inputs were found`);
    for (const name of names) assert.ok(name in action.inputs, name);
  });

  it('action.yml has exactly the outputs that the code sets', () => {
    const names = [...code.matchAll(/\bsetOutput\('([\w-]+)'/g)].map(([, name = '']) => name);
    assert.deepEqual([...names, ...FORMATS].sort(), Object.keys(action.outputs).sort());
  });
});

describe('the workflows', () => {
  it('workflows pin the actions that they use by hash, in docs/ci.md too', () => {
    let pinned = 0;
    for (const text of [...blocks, ...workflows.map(read)]) {
      for (const [, used = ''] of text.matchAll(/uses: (.+)/g)) {
        if (used === './' || used === 'OWNER/mittens@v1') continue;
        pinned++;
        assert.match(used, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      }
    }
    assert.ok(pinned >= 6, `only ${pinned} were found`);
  });

  it('workflows have read permissions only, timeouts, and no credentials in the checkout', () => {
    for (const text of [...blocks.filter((block) => /^jobs:/m.test(block)), ...workflows.map(read)]) {
      const { permissions, jobs } = load(text) as { permissions: object; jobs: Record<string, Job> };
      assert.equal('contents' in permissions, true);
      for (const right of Object.values(permissions)) assert.equal(right, 'read');
      for (const [name, job] of Object.entries(jobs)) {
        assert.ok(job['timeout-minutes'], name);
        for (const { uses = '', with: inputs } of job.steps.filter(({ uses = '' }) => /checkout/.test(uses)))
          assert.equal(inputs?.['persist-credentials'], false, uses);
      }
    }
  });

  it('scripts in workflows contain no expressions, which could inject commands', () => {
    for (const text of [...blocks, ...workflows.map(read)])
      for (const { run } of mappingsIn(load(text)))
        if (typeof run === 'string') assert.doesNotMatch(run, /\$\{\{/);
  });
});

describe('.github', () => {
  it('the bug form requires the versions, the command line and the output of list -o wide', () => {
    const { body } = load(read('.github/ISSUE_TEMPLATE/bug.yml')) as {
      body: { id?: string; validations?: { required?: boolean } }[];
    };
    const required = body.filter(({ validations }) => validations?.required).map(({ id }) => id);
    for (const id of ['versions', 'command', 'list']) assert.ok(required.includes(id), id);
  });

  it('Dependabot watches folders that exist', () => {
    const { updates } = load(read('.github/dependabot.yml')) as {
      updates: { directory?: string; directories?: string[] }[];
    };
    const folders = updates.flatMap(({ directory, directories = [] }) =>
      [directory ?? [], directories].flat(),
    );
    assert.deepEqual(folders, ['/', '/', '/test/setup', '/test/addon']);
    for (const folder of folders) assert.ok(existsSync(new URL(`.${folder}`, ROOT)), folder);
  });
});

const README = read('README.md');
const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'test/cluster/README.md'],
  ...readdirSync(new URL('docs', ROOT)).map((name) => `docs/${name}`),
]
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: read(path) }));

/** All flags that a text names, with the word before them: long ones as `--port`, wherever they stand. */
const flagsIn = (text: string) =>
  [...text.matchAll(/(?<![\w-])--([a-z][a-z-]+)/g)].map(([, name = '']) => name);

/** The words of a command line, without quotes, up to a pipe, a redirection or a comment. */
function splitWords(line: string): string[] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  const end = words.findIndex((word) => /^(?:[|>#;]|>>|&&)$/.test(word));
  return words.slice(0, end < 0 ? words.length : end).map((word) => word.replace(/['"]/g, ''));
}

/** Parses a whole command line as the command does. @throws UsageError */
function parse(command: CommandName, words: string[]): void {
  checkArguments(command, parseCommandLine(command, words).args);
}

/** Flags of kubectl, npm, git and other programs that the documents call; in the last line, of the door. */
const FOREIGN = [
  ...'branch dir event import jq json name omit role serviceaccount set short status test'.split(' '),
  ...'test-name-pattern version workflow'.split(' '),
  ...'ports health wire wire-limit sample wait fail-closed'.split(' '),
];

describe("README's tables of flags", () => {
  it('the flag tables of the README are what make docs writes', () => {
    assert.equal(README, writeTables(README), 'run: make docs');
  });

  it('the README names the flags that all commands share', () => {
    for (const { name, section } of listFlags('list'))
      if (section === 'Cluster') assert.match(README, new RegExp(`--${name}\\b`));
  });
});

describe('the documents', () => {
  it('the documents name every command and every protocol', () => {
    for (const command of COMMAND_NAMES) assert.match(README, new RegExp(`\`${command}\\b`), command);
    for (const protocol of PROTOCOLS) assert.match(read('docs/protocols.md'), new RegExp(`\`${protocol}\``));
  });

  it('docs/protocols.md lists the port names that mean tcp', () => {
    const [, list = ''] = /These names mean `tcp`: ([\s\S]*?)\. So /.exec(read('docs/protocols.md')) ?? [];
    const names = [...list.matchAll(/`([a-z0-9]+)`/g)].map(([, name = '']) => name);
    assert.ok(names.length >= 19, `only ${names.length} names were found`);
    for (const name of names) assert.equal(chooseProtocol({ name, port: 80 }), 'tcp', name);
    for (const name of ['http', 'grpc', 'tls', 'https', 'web'])
      assert.equal(chooseProtocol({ name, port: 80 }), names.includes(name) ? 'tcp' : 'auto', name);
  });

  it('every command line in the documents is parsed by its command', () => {
    let calls = 0;
    const commands = COMMAND_NAMES.join('|');
    const call = new RegExp(`(?:npx tsx scripts/)(${commands})\\.ts\\b([^\`\\n]*)`, 'g');
    for (const { path, text } of pages)
      for (const [whole, command = '', line = ''] of text.matchAll(call)) {
        calls++;
        assert.doesNotThrow(() => parse(command as CommandName, splitWords(line)), `${path}: ${whole}`);
      }
    assert.ok(calls >= 12, `only ${calls} calls were found`);
  });

  it('every call of make in the documents runs a command line that parses', () => {
    let calls = 0;
    const commands = COMMAND_NAMES.join('|');
    for (const { path, text } of pages)
      for (const [whole] of text.matchAll(new RegExp(`(?<=[\`\\n])make (${commands}) [^\`\\n]+`, 'g'))) {
        calls++;
        // What make would run.
        const [, ...words] = splitWords(whole);
        const lines = execFileSync('make', ['--dry-run', ...words], { encoding: 'utf8' });
        const [, command = '', line = ''] = /scripts\/(\w+)\.ts (.*)$/m.exec(lines) ?? [];
        assert.doesNotThrow(() => parse(command as CommandName, splitWords(line)), `${path}: ${whole}`);
      }
    assert.ok(calls >= 8, `only ${calls} calls were found`);
  });

  it('every command in the text of the documents has flags that exist', () => {
    let calls = 0;
    const call = new RegExp(`\`(${COMMAND_NAMES.join('|')})( [^\`\\n]*)\``, 'g');
    for (const { path, text } of pages)
      for (const [whole, command = '', line = ''] of text.matchAll(call)) {
        calls++;
        const words = splitWords(line);
        assert.doesNotThrow(() => parseCommandLine(command as CommandName, words), `${path}: ${whole}`);
      }
    assert.ok(calls >= 20, `only ${calls} commands were found`);
  });

  it('every target of make that the documents name exists', () => {
    const targets = [...read('Makefile').matchAll(/^([a-z-]+):/gm)].map(([, target]) => target);
    let calls = 0;
    for (const { path, text } of pages)
      for (const [whole, target = ''] of text.matchAll(/(?<=[`\n])make ([a-z][a-z-]*)(?=[ `\n])/g)) {
        calls++;
        assert.ok(targets.includes(target), `${path}: ${whole}`);
      }
    assert.ok(calls >= 25, `only ${calls} calls were found`);
  });

  it('every file and folder that the documents name exists', () => {
    // Examples: a command of any name, and a file in the reader's own repository.
    const examples = ['scripts/COMMAND.ts', 'test/orders.har'];
    const name = /(?<=[`' (])((?:scripts|action|templates|docs|test)\/[\w./-]*)(?=[`' )])/g;
    const names = pages.flatMap(({ path, text }) =>
      [...text.matchAll(name)].map(([, name = '']) => ({ path, name })),
    );
    assert.ok(names.length >= 40, `only ${names.length} paths were found`);
    for (const { path, name } of names)
      assert.ok(
        examples.includes(name) ||
          [ROOT, new URL(path, ROOT)].some((base) => existsSync(new URL(name, base))),
        `${path}: ${name}`,
      );
  });

  it('every flag that the documents name exists', () => {
    const known = new Set<string>([...FLAGS.map(({ name }) => name), ...FOREIGN]);
    for (const { path, text } of pages)
      for (const flag of flagsIn(text)) assert.ok(known.has(flag), `${path}: --${flag}`);
  });

  it('every link in the documents leads to a page and a heading', () => {
    const anchor = (title: string) =>
      title
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-');
    const anchors = new Map(
      pages.map(({ path, text }) => [
        path,
        [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => anchor(title)),
      ]),
    );
    let links = 0;
    for (const { path, text } of pages)
      for (const [, file = '', heading] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
        links++;
        const to = file ? join(dirname(path), file) : path;
        assert.ok(existsSync(new URL(to, ROOT)), `${path}: ${file}`);
        if (heading) assert.ok(anchors.get(to)?.includes(heading), `${path}: ${file}#${heading}`);
      }
    assert.ok(links >= 10, `only ${links} links were found`);
  });
});

describe('docs/architecture.md', () => {
  const architecture = read('docs/architecture.md');

  it('docs/architecture.md has every room once', () => {
    const rooms = [...architecture.matchAll(/^\| `(\w+)\/` /gm)].map(([, room = '']) => room);
    assert.deepEqual(rooms.sort(), readdirSync(new URL('scripts/lib', ROOT)).sort());
  });

  it('docs/architecture.md names the test files that prove each invariant', () => {
    for (const name of ['I1', 'I2', 'I3', 'I4', 'I5'])
      assert.match(
        architecture,
        new RegExp(`^\\| \\*\\*${name} .*\`test/(e2e|unit)/[\\w-]+\\.test\\.ts\``, 'm'),
      );
  });
});

describe('the Makefile', () => {
  it('the Makefile has a target for every command', () => {
    for (const command of COMMAND_NAMES)
      assert.match(
        read('Makefile'),
        new RegExp(`^${command}: .*## .+\\n\\t@\\$\\(RUN\\) scripts/${command}.ts `, 'm'),
      );
  });
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { documented } from '../../action/document.ts';
import { FORMATS } from '../../action/inputs.ts';

interface Job {
  'timeout-minutes'?: number;
  steps: { uses?: string; with?: Record<string, unknown> }[];
}

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const workflows = readdirSync(new URL('../../.github/workflows', import.meta.url)).map(
  (name) => `.github/workflows/${name}`,
);
const action = load(read('action.yml')) as {
  inputs: Record<string, object>;
  outputs: Record<string, object>;
};

const blocks = ['docs/ci.md', 'README.md'].flatMap((path) =>
  [...read(path).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) => block),
);
const code = readdirSync(new URL('../../action', import.meta.url))
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
  it('has the inputs and outputs of action.yml', () => {
    assert.equal(read('docs/ci.md'), documented(read('docs/ci.md')), 'make docs');
  });

  it('and the workflows name no input or output that there is not', () => {
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

  it('has every input that the code reads, and the code reads every one', () => {
    for (const name of Object.keys(action.inputs))
      assert.ok(code.includes(`'${name}'`) || code.includes(`INPUT_${name.toUpperCase()}`), name);
    const names = [...code.matchAll(/\b(?:getInput|checked|optional)\('([\w-]+)'/g)].map(
      ([, name = '']) => name,
    );
    assert.ok(names.length >= 20, `only ${names.length} inputs were found`);
    for (const name of names) assert.ok(name in action.inputs, name);
  });

  it('has every output that the code sets, and the code sets every one', () => {
    const names = [...code.matchAll(/\bsetOutput\('([\w-]+)'/g)].map(([, name = '']) => name);
    assert.deepEqual([...names, ...FORMATS].sort(), Object.keys(action.outputs).sort());
  });
});

describe('the workflows', () => {
  it('pin what they use by its hash, and so do those in docs/ci.md', () => {
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

  it('may write nothing, have timeouts, and leave no credentials in the checkout', () => {
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

  it('have nothing from outside in their scripts', () => {
    for (const text of [...blocks, ...workflows.map(read)])
      for (const { run } of mappingsIn(load(text)))
        if (typeof run === 'string') assert.doesNotMatch(run, /\$\{\{/);
  });
});

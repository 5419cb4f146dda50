import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { documented } from '../../action/document.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const workflows = readdirSync(new URL('../../.github/workflows', import.meta.url)).map(
  (name) => `.github/workflows/${name}`,
);
const action = load(read('action.yml')) as {
  inputs: Record<string, object>;
  outputs: Record<string, object>;
};

/** All mappings in a YAML document, at any depth. */
function mappingsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : [value as Record<string, unknown>];
  return [...own, ...Object.values(value).flatMap(mappingsIn)];
}

describe('docs/ci.md', () => {
  it('has the inputs and outputs of action.yml', () => {
    assert.equal(read('docs/ci.md'), documented(read('docs/ci.md')), 'make dist');
  });

  it('and the workflows name no input or output that there is not', () => {
    const blocks = [...read('docs/ci.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = '']) => block);
    const documents = [...blocks, ...workflows.map(read)];
    let uses = 0;
    for (const document of documents) {
      for (const { uses: used, with: inputs } of mappingsIn(load(document))) {
        if (used !== './' && used !== 'OWNER/mittens@v1') continue;
        uses++;
        for (const name of Object.keys(inputs as object)) assert.ok(name in action.inputs, name);
      }
      for (const [, output = ''] of document.matchAll(/steps\.mittens\.outputs\.([\w-]+)/g))
        assert.ok(output in action.outputs, output);
    }
    assert.ok(uses >= 6);
  });

  it('has every input in the code', () => {
    const code = readdirSync(new URL('../../action', import.meta.url))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => read(`action/${name}`))
      .join('\n');
    for (const name of Object.keys(action.inputs))
      assert.ok(code.includes(`'${name}'`) || code.includes(`INPUT_${name.toUpperCase()}`), name);
  });
});

describe('the workflows', () => {
  it('pin what they use by its hash, and may only read', () => {
    for (const path of workflows) {
      const text = read(path);
      for (const [, used = ''] of text.matchAll(/uses: (\S+)/g))
        assert.match(used, /^(\.\/|[\w-]+\/[\w-]+@[0-9a-f]{40})$/, path);
      assert.deepEqual((load(text) as { permissions: object }).permissions, { contents: 'read' }, path);
    }
  });
});

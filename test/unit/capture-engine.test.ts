import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_ENGINE, type Flags, listFlags } from '../../scripts/lib/cli/flags.ts';
import { chooseEngine, ENGINES } from '../../scripts/lib/commands/capture-engine.ts';
import { UsageError } from '../../scripts/lib/util/error.ts';
import { mittens } from '../scripts.ts';

describe('the engine of a capture', () => {
  it('is the default one, or the one that is asked for', () => {
    assert.equal(chooseEngine({}), DEFAULT_ENGINE);
    for (const engine of ENGINES) assert.equal(chooseEngine({ engine }), engine);
    for (const protocol of ['auto', 'http', 'h2c', 'tcp'])
      assert.equal(chooseEngine({ protocol, engine: 'wire' }), 'wire');
  });

  const needs: [string, Flags<'capture'>][] = [
    ['--protocol https', { protocol: 'https' }],
    ['--modify-headers', { 'modify-headers': ['/~q/X/1'] }],
    ['--modify-body', { 'modify-body': ['/a/b'] }],
    ['--map-remote', { 'map-remote': ['|a|b|'] }],
    ['--script', { script: ['x.py'] }],
    ['--replay', { replay: ['x.mitm'] }],
    ['--forwarded', { forwarded: true }],
    ['--tls-secret', { 'tls-secret': 'web' }],
    ['--client-tls-secret', { 'client-tls-secret': 'web' }],
  ];
  for (const [flag, flags] of needs)
    it(`is mitmdump for ${flag}, which wire refuses`, () => {
      assert.equal(chooseEngine(flags), 'mitmdump');
      assert.equal(chooseEngine({ ...flags, engine: 'mitmdump' }), 'mitmdump');
      const message = `--engine wire only copies bytes, and ${flag} needs mitmproxy`;
      assert.throws(
        () => chooseEngine({ ...flags, engine: 'wire' }),
        new UsageError(message, 'use --engine mitmdump'),
      );
    });

  it('is completed by the shell', () =>
    assert.deepEqual(listFlags('capture').find(({ name }) => name === 'engine')?.completes, ENGINES));

  it('is refused before the cluster is read when it is none, or can not do what is asked', async () => {
    for (const [args, says] of [
      [['--engine', 'tcpdump'], /^error: "tcpdump" is not an engine\nhint: wire or mitmdump\n$/],
      [
        ['--engine', 'wire', '--script', 'x.py'],
        /^error: --engine wire .* --script needs mitmproxy\nhint: use --engine mitmdump\n$/,
      ],
    ] as const) {
      const { code, stdout, stderr } = await mittens('capture', 'web', ...args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, says);
    }
  });
});

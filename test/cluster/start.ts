#!/usr/bin/env -S node --import tsx
import { once } from 'node:events';
import { run } from '../../scripts/lib/cli/run.ts';
import { listenForInterrupts } from '../../scripts/lib/util/interrupt.ts';
import { POCKET, setUp } from '../setup.ts';
import { startCluster } from './src/cluster.ts';

/** Starts a pocket cluster by hand, prints how to reach it, and stops it on Ctrl-C. */
await run(async () => {
  const { signal } = listenForInterrupts();
  Object.assign(process.env, await setUp(POCKET, signal));
  const cluster = await startCluster();
  try {
    console.log(`export KUBECONFIG=${cluster.kubeconfig}`);
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await cluster.stop();
  }
});

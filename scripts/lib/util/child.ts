import { $, quote } from 'zx/core';

/**
 * zx for a child whose output is read and whose exit code is judged by the caller. Its prefix would otherwise
 * come from the environment (ZX_PREFIX) and run with every command. The child is detached, so that a Ctrl-C
 * does not reach a kubectl that is giving a Service back; its stdin is closed, or it might wait for input.
 */
export const captured$ = $({
  quote,
  prefix: '',
  postfix: '',
  stdio: ['ignore', 'pipe', 'pipe'],
  detached: true,
  quiet: true,
  nothrow: true,
});

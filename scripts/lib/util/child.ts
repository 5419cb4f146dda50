import { $, quote } from 'zx/core';

/**
 * zx for a child whose output and exit code the caller reads. Sets the prefix, because ZX_PREFIX in the environment
 * would run with every command. The child is detached, so that Ctrl-C does not reach a kubectl that restores a
 * Service. Its stdin is closed, so that it can't wait for input.
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

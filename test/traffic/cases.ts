import { EXCHANGES } from '../unit/wire-exchanges.ts';
import type { Step } from '../unit/wire-file.ts';
import { BODIES } from './bodies.ts';
import type { Case, Move } from './case.ts';
import { HEADS } from './heads.ts';
import { HTTP2 } from './http2.ts';
import { STREAMS } from './streams.ts';
import { TCP } from './tcp.ts';
import { UPGRADES } from './upgrades.ts';

/** An exchange that the tests know anyway, which goes on here, as the app ends too. */
const ELSEWHERE = 'a client that goes before it is answered';
/** Exchanges with longer flows are left out: here those are told in short. */
const LONGEST_FLOW = 300;

const KNOWN: Case[] = EXCHANGES.filter(
  ({ title, flows }) => title !== ELSEWHERE && flows.every((flow) => flow.length <= LONGEST_FLOW),
).flatMap(({ title, steps, flows }) => {
  const moves = steps.filter((step) => isMove(step));
  return moves.length < steps.length ? [] : [{ title, moves, flows }];
});

/** What somebody who listens can do: not leave out bytes, nor refuse. */
function isMove(step: Step): step is Move & Step {
  return typeof step === 'object' ? !('gap' in step) : step !== 'app refuses';
}

/** Every conversation that is compared with and without a tap. Each title is there once. */
export const CASES: Case[] = [...KNOWN, ...HEADS, ...BODIES, ...STREAMS, ...UPGRADES, ...HTTP2, ...TCP];

import type { MethodDefinition } from '@grpc/grpc-js';

const SERVICE = '/mittens.test.Peer';
const asIs = (bytes: Buffer): Buffer => bytes;

function method(
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> {
  const serializers = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  return { path: `${SERVICE}/${name}`, requestStream, responseStream, ...serializers };
}

/** A service without a schema: its messages are bytes as they are. */
export const CALLS = {
  /** Answers what it is told. */
  echo: method('Echo', false, false),
  /** Fails by INVALID_ARGUMENT, with trailers. */
  fail: method('Fail', false, false),
  /** Sends one message, then one more each time that `next` is called, until `count` are sent; then it may fail. */
  count: method('Count', false, true),
  next: method('Next', false, false),
  /** Takes messages, and answers with all of them. How many came so far, `taken` says. */
  collect: method('Collect', true, false),
  taken: method('Taken', false, false),
  /** Answers each message as it comes. */
  talk: method('Talk', true, true),
};

export const COUNT = 3;

import { JsonError, JsonObject } from '../util/json-object.ts';
import { type Frame, WireError } from './frame.ts';
import type { Address, Port } from './link.ts';

/** The version of the format that is read. */
const VERSION = 1;

/** Reads the ports that a file begins with. @throws WireError for another version, or JSON of another shape. */
export function parseBeginning(frame: Frame): Port[] {
  return parse(frame, (json) => {
    const version = json.maybeNumber('wire');
    if (version !== VERSION) throw new JsonError(`its version is ${version}, and ${VERSION} is known`);
    return (json.maybeObjects('ports') ?? []).map((port) => ({
      listen: parseInteger(port, 'listen'),
      app: parseInteger(port, 'app'),
      protocol: port.maybeText('protocol') ?? 'auto',
    }));
  });
}

/** Reads the ends of a connection that opens. @throws WireError */
export function parseOpening(frame: Frame): Opening {
  return parse(frame, (json) => ({
    client: parseAddress(json, 'client'),
    server: json.has('server') ? parseAddress(json, 'server') : undefined,
    listen: parseInteger(json, 'listen'),
  }));
}

interface Opening {
  client: Address;
  /** Where the app was reached; undefined if it refused the connection. */
  server: Address | undefined;
  listen: number;
}

/** Reads how many bytes of either side are missing. @throws WireError */
export function parseGap(frame: Frame): { client: number; server: number } {
  return parse(frame, (json) => ({
    client: parseInteger(json, 'client'),
    server: parseInteger(json, 'app'),
  }));
}

/** Reads how many bytes are missing in the file. @throws WireError */
export function parseSkipped(frame: Frame): number {
  return parse(frame, (json) => parseInteger(json, 'skipped'));
}

function parse<T>(frame: Frame, read: (json: JsonObject) => T): T {
  try {
    return read(new JsonObject(JSON.parse(frame.payload.toString()), ''));
  } catch (error) {
    if (!(error instanceof JsonError || error instanceof SyntaxError)) throw error;
    // What a SyntaxError says may quote the file.
    const what = error instanceof JsonError ? error.message : 'its JSON is broken';
    throw new WireError(`frame ${frame.type}: ${what}`, frame.offset);
  }
}

/** What is missing is 0. */
function parseInteger(json: JsonObject, name: string): number {
  const value = json.maybeNumber(name) ?? 0;
  if (!Number.isSafeInteger(value) || value < 0) throw json.wrong(name, 'a count');
  return value;
}

function parseAddress(json: JsonObject, name: string): Address {
  const [host, port] = json.list(name);
  if (typeof host !== 'string' || typeof port !== 'number' || !Number.isInteger(port))
    throw json.wrong(name, 'an address');
  return [host, port];
}

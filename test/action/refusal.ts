/** A request that is refused, and the answer that says so. */
export class Refusal extends Error {
  readonly status: number;
  readonly type: string;
  readonly body: string;

  constructor(status: number, type: string, body: string) {
    super(body);
    this.status = status;
    this.type = type;
    this.body = body;
  }
}

/** https://twitchtv.github.io/twirp/docs/spec_v7.html#error-codes */
const TWIRP_STATUS = {
  malformed: 400,
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  bad_route: 404,
  not_found: 404,
  already_exists: 409,
  failed_precondition: 412,
  internal: 500,
};

/** A refusal in twirp's form: JSON of a code and a message. */
export function twirpRefusal(code: keyof typeof TWIRP_STATUS, msg: string): Refusal {
  return new Refusal(TWIRP_STATUS[code], 'application/json', JSON.stringify({ code, msg }));
}

/**
 * A refusal in the form of Azure's blob storage.
 * @param code of https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 */
export function storageRefusal(status: number, code: string, message: string): Refusal {
  const xml = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return new Refusal(status, 'application/xml', xml);
}

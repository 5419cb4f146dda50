/** The error of one field, worded as in k8s.io/apimachinery/pkg/util/validation/field. */
export interface Cause {
  reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueDuplicate'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueNotFound';
  field: string;
  /** For example `Invalid value: "x": must be …`. */
  message: string;
}

/** An error of the API, which becomes a `Status` object and an HTTP status code. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: object | undefined;

  constructor(code: number, reason: string, message: string, details?: object) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  toStatus(): object {
    const { code, reason, message, details } = this;
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      details,
      code,
    };
  }
}

/** A resource's name in messages: `deployments.apps`, `pods`. */
export function formatResource({ plural, group }: { plural: string; group: string }): string {
  return group ? `${plural}.${group}` : plural;
}

type Named = { plural: string; group: string };

export function notFound(resource: Named, name: string): StatusError {
  const details = { name, group: resource.group, kind: resource.plural };
  return new StatusError(404, 'NotFound', `${formatResource(resource)} "${name}" not found`, details);
}

export function alreadyExists(resource: Named, name: string): StatusError {
  const details = { name, group: resource.group, kind: resource.plural };
  return new StatusError(
    409,
    'AlreadyExists',
    `${formatResource(resource)} "${name}" already exists`,
    details,
  );
}

export function conflict(resource: Named, name: string): StatusError {
  const why = 'the object has been modified; please apply your changes to the latest version and try again';
  const details = { name, group: resource.group, kind: resource.plural };
  const message = `Operation cannot be fulfilled on ${formatResource(resource)} "${name}": ${why}`;
  return new StatusError(409, 'Conflict', message, details);
}

export function invalid(
  resource: { kind: string; group: string },
  name: string,
  causes: Cause[],
): StatusError {
  const kind = resource.group ? `${resource.kind}.${resource.group}` : resource.kind;
  const words = causes.map(({ field, message }) => `${field}: ${message}`);
  const all = words.length === 1 ? words[0] : `[${words.join(', ')}]`;
  const details = { name, group: resource.group, kind: resource.kind, causes };
  return new StatusError(422, 'Invalid', `${kind} "${name}" is invalid: ${all}`, details);
}

export function forbidden(resource: Named, name: string, why: string): StatusError {
  const what = name ? `${formatResource(resource)} "${name}"` : formatResource(resource);
  const details = { name, group: resource.group, kind: resource.plural };
  return new StatusError(403, 'Forbidden', `${what} is forbidden: ${why}`, details);
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

/** For what Kubernetes does and this double does not: it fails loudly, so that no test passes because of it. */
export function notImplemented(what: string): StatusError {
  return new StatusError(501, 'NotImplemented', `the pocket cluster does not do ${what}`);
}

/**
 * A request the service refuses: HTTP status, Azure's error code and its sentence.
 * Rule: thrown anywhere below a route, written by the route's end in the form of that service (JSON for ARM, XML for blobs).
 */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export const notFound = (what: string): Refusal =>
  new Refusal(404, 'ResourceNotFound', `The Resource '${what}' was not found.`);
export const conflict = (message: string, code = 'OperationNotAllowed'): Refusal => new Refusal(409, code, message);
export const badRequest = (message: string, code = 'InvalidParameter'): Refusal => new Refusal(400, code, message);

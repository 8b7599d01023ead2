import { FlError, type FlErrorCode } from '../fl-error.ts';

class Culprit {
  readonly member: number;

  constructor(member: number) {
    this.member = member;
  }
}

/** An error that names the member whose doing it is. */
export function blame(code: FlErrorCode, message: string, member: number): FlError {
  return new FlError(code, message, { cause: new Culprit(member) });
}

/** The member that an error names. */
export function blamed(error: FlError): number | undefined {
  return error.cause instanceof Culprit ? error.cause.member : undefined;
}

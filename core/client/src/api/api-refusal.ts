import { RingfenceError, type ErrorDetail } from '@ringfence/base';

/** A server's own no: its documented code, its sentence and its next step. */
export class ApiRefusal extends RingfenceError {
  readonly status: number;
  /** After how many seconds it is worth asking again, when the server says so. */
  readonly retryAfterS: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    { retryAfterS, ...detail }: ErrorDetail & { readonly retryAfterS?: number | undefined } = {},
  ) {
    super(code, message, detail);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

import { RingfenceError } from '@ringfence/base';

/** A server's own no: its documented code, its sentence and its next step. */
export class ApiRefusal extends RingfenceError {
  readonly status: number;

  constructor(status: number, code: string, message: string, next?: string) {
    super(code, message, next === undefined ? {} : { next });
    this.status = status;
  }
}

import type { LockId } from '@ringfence/base';
import {
  lockDecision,
  lockList,
  lockView,
  type LockDecision,
  type LockTargetBody,
  type LockView,
} from '@ringfence/protocol/api';
import type { z } from 'zod';

/** Asks one route of a control plane or a custodian for a JSON answer. */
export type LockCall = <Schema extends z.ZodType>(
  method: 'GET' | 'POST',
  path: string,
  answer: Schema,
  body?: object,
) => Promise<z.output<Schema>>;

/** The part of either API that is about who is cut off. */
export class LockCalls {
  readonly #call: LockCall;

  constructor(call: LockCall) {
    this.#call = call;
  }

  /** The locks that hold. */
  async list(): Promise<readonly LockView[]> {
    return (await this.#call('GET', '/v1/locks', lockList)).locks;
  }

  /** Cuts off at once; for 24 hours unless it is confirmed. */
  set(target: LockTargetBody): Promise<LockView> {
    return this.#call('POST', '/v1/locks', lockView, { target });
  }

  /** Agrees that a lock holds until it is lifted, or that it ends; `term` is the one that was seen. */
  agree(lock: LockId, wants: 'confirm' | 'lift', term: number): Promise<LockDecision> {
    return this.#call('POST', `/v1/locks/${lock}/${wants}`, lockDecision, { term });
  }
}

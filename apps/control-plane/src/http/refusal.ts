import { errorFields, type Log } from '@ringfence/base';
import type { errorAnswer } from '@ringfence/protocol/api';
import { StoreError } from '@ringfence/store';
import { z } from 'zod';
import { ControlPlaneError, STATUS_OF } from '../control-plane-error.ts';
import { StepUpNeeded } from './step-up-needed.ts';

/** One wrong field of a request. */
export interface Problem {
  readonly path: string;
  readonly code: string;
}

/** A body that is not of the declared form: names every wrong field by path, and no value. */
export class BadBody extends ControlPlaneError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('bad-request', 'the request is not of the declared form', { next: 'compare it with /v1/openapi.json' });
    this.problems = problems;
  }
}

const MOST_PROBLEMS = 50;
const LONGEST_KEY = 64;

/** The paths of wrong fields. A key that the schema does not know is named too, since that is where typing slips are. */
export function problemsOf(issues: readonly z.core.$ZodIssue[]): Problem[] {
  return issues
    .flatMap((issue) => {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
      return keys.map((key) => ({
        path: [...issue.path, ...(key === undefined ? [] : [key.slice(0, LONGEST_KEY)])].join('.'),
        code: issue.code,
      }));
    })
    .slice(0, MOST_PROBLEMS);
}

/** Status and body of a refusal; `retryAfterS` for one that is worth asking again after so many seconds. */
interface Refusal {
  readonly status: number;
  readonly answer: z.input<typeof errorAnswer>;
  readonly retryAfterS?: number | undefined;
}

/** What a request is told that the database could not serve. */
const RETRY_AFTER_S = 2;

/** Status and body of the answer to a request that failed; what nobody expected goes into the log and not into the answer. */
export function refusalOf(error: unknown, log: Log): Refusal {
  if (error instanceof ControlPlaneError) {
    const { code, message, next } = error;
    const problems = error instanceof BadBody ? { problems: [...error.problems] } : {};
    const needed = error instanceof StepUpNeeded ? { ...error.needed, enough: [...error.needed.enough] } : {};
    return {
      status: STATUS_OF[code],
      retryAfterS: error.retryAfterS,
      answer: { error: { code, message, ...(next === undefined ? {} : { next }), ...problems, ...needed } },
    };
  }
  if (error instanceof StoreError && (error.code === 'unavailable' || error.code === 'timeout'))
    return { ...answer(503, 'unavailable', 'the database does not answer', 'try again'), retryAfterS: RETRY_AFTER_S };
  if (error instanceof StoreError && error.code === 'duplicate')
    return answer(409, 'conflict', 'this id is taken', 'launch again: each launch has an id of its own');
  if (error instanceof StoreError && error.code === 'conflict')
    return { ...answer(503, 'unavailable', 'another change was in the way', 'try again'), retryAfterS: RETRY_AFTER_S };
  const known = z.object({ statusCode: z.int().min(400).max(499) }).safeParse(error);
  if (known.success && known.data.statusCode === 413)
    return answer(413, 'too-much', 'the request is larger than 64 KiB', 'send less');
  if (known.success)
    return answer(
      known.data.statusCode,
      'bad-request',
      'the request cannot be read',
      'compare it with /v1/openapi.json',
    );
  log.error('api.failed', errorFields(error));
  return answer(500, 'unexpected', 'something went wrong here', 'the server’s log says more');
}

function answer(status: number, code: string, message: string, next: string) {
  return { status, answer: { error: { code, message, next } } };
}

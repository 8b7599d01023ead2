import { isId } from '@ringfence/base';
import {
  checkpointAnswer,
  checkpointRequest,
  entryAnswer,
  entryRequest,
  sealedLogAnswer,
  sealedLogRequest,
  sealedLogsAnswer,
} from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { listAttemptLogs, storeAttemptLog } from '../jobs/attempt-log.ts';
import { storeCheckpoint } from '../jobs/checkpoint.ts';
import { enterAttempt } from '../jobs/enter-attempt.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of a running attempt: what it leaves that is no result, and who enters it. */
export function attemptStoreRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/checkpoints',
      summary: 'Keeps a complete checkpoint of the current attempt in place of the one before.',
      who: ['agent'],
      action: 'checkpoint:store',
      body: checkpointRequest,
      answer: checkpointAnswer,
      handle: ({ body }, { id }, claimed) => storeCheckpoint(context, claimed, body, id),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/logs',
      summary: 'Keeps the log of an attempt, once.',
      who: ['agent'],
      action: 'log:store',
      body: sealedLogRequest,
      answer: sealedLogAnswer,
      handle: async ({ body }, { id }, claimed) => {
        await storeAttemptLog(context, claimed, body, id);
        return { stored: true };
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/entries',
      summary: 'Decides whether a device may enter the sandbox of the current attempt.',
      who: ['agent'],
      action: 'entry:request',
      body: entryRequest,
      answer: entryAnswer,
      handle: ({ body }, { id }, claimed) => enterAttempt(context, claimed, body, id),
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/jobs/:job/logs',
      summary: 'The logs of a job that were sealed to the custodian.',
      who: ['device'],
      action: 'job:logs',
      resource: 'job',
      answer: sealedLogsAnswer,
      handle: ({ parameters, query }, { id }, claimed) => {
        const job = parameters['job'] ?? '';
        const attempt = query['attempt'] === undefined ? undefined : Math.trunc(Number(query['attempt'])) || 0;
        if (isId('job', job)) return listAttemptLogs(context, claimed, { job, attempt, device: id });
        throw new CustodianError('not-found', 'there is no such job', { next: 'see `ringfence ps`' });
      },
    }),
  ];
}

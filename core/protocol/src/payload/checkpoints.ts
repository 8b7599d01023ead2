import { z } from 'zod';
import { attemptNumber, idOf, whole } from '../fields.ts';
import { packReference } from './pack.ts';

/** `POST /v1/checkpoints`, from the agent of the current attempt: its objects were uploaded before. Only the newest one is kept. */
export const checkpointRequest = z.strictObject({
  job: idOf('job'),
  attempt: attemptNumber,
  pack: packReference,
  files: whole(0, 1_000_000),
  bytes: whole(0, Number.MAX_SAFE_INTEGER),
});
/** `not-current`: another attempt was granted, this one stopped, or the job is over. */
export const checkpointAnswer = z.discriminatedUnion('result', [
  z.strictObject({ result: z.literal('stored') }),
  z.strictObject({ result: z.literal('refused'), reason: z.enum(['not-current', 'missing-objects', 'locked']) }),
]);

/** `POST /v1/logs`, from the agent that ran the attempt: its log as a pack of one file, once. */
export const sealedLogRequest = z.strictObject({
  job: idOf('job'),
  attempt: attemptNumber,
  pack: packReference,
  bytes: whole(0, Number.MAX_SAFE_INTEGER),
});
/** The custodian has it. */
export const sealedLogAnswer = z.strictObject({ stored: z.literal(true) });
/** `GET /v1/jobs/JOB/logs`: the logs that were sealed to the custodian, lowest attempt first. */
export const sealedLogsAnswer = z.strictObject({
  project: idOf('project'),
  logs: z.array(
    z.strictObject({ attempt: attemptNumber, pack: packReference, bytes: whole(0, Number.MAX_SAFE_INTEGER) }),
  ),
});

import { z } from 'zod';
import { attemptNumber, idOf, whole } from '../fields.ts';

/** A platform-measured counter in a log bucket: bucket n means [2^(n-1), 2^n) units; 0 means none. */
export const bucket = whole(0, 63);

/** Counters of an attempt change at most once in so many milliseconds on the wire. */
export const COUNTER_HOLD_MS = 60_000;

/** What an agent says of each attempt that it holds; nothing here is chosen by the job. */
const attemptBeat = z.strictObject({
  job: idOf('job'),
  attempt: attemptNumber,
  memory: bucket,
  cpu: bucket,
});

/** "I am here"; the control plane's renewals echo its frame sequence. */
export const heartbeat = z.strictObject({ attempts: z.array(attemptBeat).max(64) });

import { z } from 'zod';
import { attemptNumber, idOf } from '../fields.ts';
import { sandboxPath } from './workload.ts';

/** What somebody does in a running sandbox. */
export const ENTRY_KINDS = ['exec', 'copy-out', 'copy-in'] as const;

/** `POST /v1/entries` at the custodian, from the agent that runs the attempt, before it lets a device in. */
export const entryRequest = z.strictObject({
  job: idOf('job'),
  attempt: attemptNumber,
  device: idOf('device'),
  kind: z.enum(ENTRY_KINDS),
});
/** `label`: the data is confidential or restricted, and its owner has released nothing. */
export const entryAnswer = z.discriminatedUnion('result', [
  z.strictObject({ result: z.literal('allowed') }),
  z.strictObject({ result: z.literal('refused'), reason: z.enum(['not-authorised', 'label', 'not-current']) }),
]);

/**
 * The first line of `POST /v1/jobs/JOB/enter?attempt=N` at the agent, as JSON with a line feed; what follows is standard input. The answer is
 * a stream of (u8 kind, u32 length big-endian, bytes): see {@link ENTRY_FRAMES}.
 */
export const entryHead = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('exec'), argv: z.array(z.string().max(16_384)).min(1).max(256) }),
  z.strictObject({ kind: z.literal('copy-out'), path: sandboxPath }),
  z.strictObject({ kind: z.literal('copy-in'), path: sandboxPath }),
]);
/** Nothing (the link lives), standard output, standard error, and last the exit as {@link entryExit}. */
export const ENTRY_FRAMES = { alive: 0, out: 1, err: 2, exit: 3 } as const;
/** How the command ended: a status, or 128 and the number of its signal. */
export const entryExit = z.strictObject({ code: z.int().min(0).max(255) });

export type EntryKind = (typeof ENTRY_KINDS)[number];
export type EntryHead = z.infer<typeof entryHead>;

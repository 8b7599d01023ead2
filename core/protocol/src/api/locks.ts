import { z } from 'zod';
import { idOf, moment, whole } from '../fields.ts';
import { KEYRING_ROLES } from '../statements/keyring.ts';

/** An endpoint's token, a session or a service account's key, by its id; never the token. */
const tokenId = z.string().regex(/^[a-z0-9_]{1,64}$/);

/** Whom or what a lock cuts off. */
export const lockTarget = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('member'), member: idOf('member') }),
  z.strictObject({
    kind: z.literal('role'),
    role: z.enum(KEYRING_ROLES),
    /** In this project alone; everywhere where none is named. */
    project: idOf('project').optional(),
  }),
  z.strictObject({ kind: z.literal('device'), device: idOf('device') }),
  z.strictObject({ kind: z.literal('agent'), agent: idOf('agent') }),
  z.strictObject({ kind: z.literal('site'), site: idOf('site') }),
  z.strictObject({ kind: z.literal('token'), token: tokenId }),
]);

/** What members agree to about a lock: how far it is, and how much of a lone officer's delay has run. */
const lockWish = z.strictObject({
  phase: z.enum(['collecting', 'waiting', 'ready', 'done', 'ended']),
  approvals: whole(0, 10_000),
  waitedMs: whole(0, Number.MAX_SAFE_INTEGER),
  expiresAt: moment,
});

/** A lock that is not lifted. */
export const lockView = z.strictObject({
  lock: idOf('lock'),
  target: lockTarget,
  /** Who set it: an officer, this process over two copies of an agent, or the organisation's custodian. */
  source: z.enum(['officer', 'fork', 'custodian']),
  setAt: moment,
  /** The device that set it, or the member where a session did. */
  setBy: z.string().max(64).nullable(),
  /** Null: until it is lifted. */
  until: moment.nullable(),
  /** Raised by each change; whoever confirms or lifts says which one they saw. */
  term: whole(1, Number.MAX_SAFE_INTEGER),
  confirming: lockWish.nullable(),
  lifting: lockWish.nullable(),
});

/** `GET /v1/locks`. */
export const lockList = z.strictObject({ locks: z.array(lockView) });

/** `POST /v1/locks`: one officer's, which ends after 24 hours unless the quorum confirms it. */
export const wantedLock = z.strictObject({ target: lockTarget });

/** `POST /v1/locks/LOCK/confirm` and `/lift`: an officer agrees. */
export const lockApproval = z.strictObject({ term: whole(1, Number.MAX_SAFE_INTEGER) });

/** What became of it: `done` when enough members agreed. */
export const lockDecision = z.strictObject({ done: z.boolean(), lock: lockView });

export type LockView = z.infer<typeof lockView>;
export type LockTargetBody = z.infer<typeof lockTarget>;
export type LockDecision = z.infer<typeof lockDecision>;

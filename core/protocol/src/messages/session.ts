import { z } from 'zod';
import { idOf, moment, sha256, whole } from '../fields.ts';

/** A place in a party's journal: how many records it has and the hash of the last. */
export const journalPoint = z.strictObject({ seq: whole(0, Number.MAX_SAFE_INTEGER), hash: sha256 });
const mid = whole(0, Number.MAX_SAFE_INTEGER);

/** First sealed frame of agent or custodian: where its journal stands, and what the peer's last known point hashes to there. */
export const hello = z.strictObject({
  role: z.enum(['agent', 'custodian']),
  party: z.union([idOf('agent'), idOf('custodian')]),
  org: idOf('org'),
  versions: z.strictObject({ min: whole(1, 255), max: whole(1, 255) }),
  journal: journalPoint,
  resume: journalPoint.nullable(),
  received: mid,
});

/** The control plane's answer to a hello that it accepts. */
export const welcome = z.strictObject({
  version: whole(1, 255),
  received: mid,
  heartbeatMs: whole(100, 600_000),
  at: moment,
});

/** All durable messages up to `mid` are stored and will not be asked for again. */
export const ack = z.strictObject({ mid, journal: journalPoint.optional() });

/** Why a control plane ends a link. */
export const goodbye = z.strictObject({
  reason: z.enum(['unknown-party', 'locked', 'superseded', 'version', 'budget', 'shutdown', 'protocol']),
});

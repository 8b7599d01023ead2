import { z } from 'zod';
import { idOf, moment, whole } from '../fields.ts';
import { FACTOR_KINDS } from './members.ts';

const factor = z.enum(FACTOR_KINDS);
/** What members are told of their own accounts. */
export const keptNotice = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('factor-added'), factor }),
  z.strictObject({ kind: z.literal('factor-removed'), factor }),
  z.strictObject({ kind: z.literal('passkey-suspended') }),
  z.strictObject({ kind: z.literal('recovery-code-used') }),
  /** By which factors; none: by an invitation. */
  z.strictObject({ kind: z.literal('session-begun'), session: idOf('session'), factors: z.array(factor).max(8) }),
  /** The first time, from which on the device is the member's. */
  z.strictObject({ kind: z.literal('device-stepped-up'), device: idOf('device') }),
  /** `halfRight`: one factor of a try was right. `until`: no try counts before; null once the member was let in. */
  z.strictObject({
    kind: z.literal('wrong-tries'),
    tries: whole(1, Number.MAX_SAFE_INTEGER),
    halfRight: z.boolean(),
    until: moment.nullable(),
  }),
]);

/** What officers and owners are told beside it. */
export const officersNotice = z.discriminatedUnion('kind', [
  /** Something that takes two people; `until`: when a lone officer's delay is over, null where a second one is asked. */
  z.strictObject({
    kind: z.literal('waits'),
    lock: idOf('lock'),
    wants: z.enum(['confirm', 'lift']),
    until: moment.nullable(),
  }),
  z.strictObject({
    kind: z.literal('ends-soon'),
    what: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('account-key'), key: idOf('accountKey'), account: idOf('serviceAccount') }),
      z.strictObject({ kind: z.literal('invitation'), invitation: idOf('invitation'), member: idOf('member') }),
    ]),
    until: moment,
  }),
]);

/** Something that its reader is told of their account, or as an officer. */
const notice = z.strictObject({
  /** The same at each look. */
  id: z.string().regex(/^[a-z0-9_-]{1,80}$/),
  at: moment,
  about: z.discriminatedUnion('kind', [...keptNotice.options, ...officersNotice.options]),
  /** The same in a sentence. */
  text: z.string().max(400),
});

/** `GET /v1/notices`, newest first: of what officers are told fifty at most, and one's own newest to make a hundred. */
export const noticeList = z.strictObject({ notices: z.array(notice).max(100) });

export type KeptNotice = z.infer<typeof keptNotice>;
export type OfficersNotice = z.infer<typeof officersNotice>;
export type Notice = z.infer<typeof notice>;

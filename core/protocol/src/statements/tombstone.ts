import { z } from 'zod';
import { idOf, moment, whole } from '../fields.ts';

const count = whole(0, Number.MAX_SAFE_INTEGER);

/** What became of the organisation's key, as its provider answered. */
export const ORGANISATION_KEY_ENDS = ['destroyed', 'scheduled', 'left-to-owner', 'kept'] as const;

/** The custodian's word that keys are destroyed, and with them what lay under them; signed by its enrolment key. */
export const tombstoneStatement = z.strictObject({
  v: z.literal(1),
  org: idOf('org'),
  custodian: idOf('custodian'),
  /** Who ordered it. */
  device: idOf('device'),
  at: moment,
  kind: z.enum(['project', 'organisation']),
  project: idOf('project'),
  /** Versions of projects' keys, and data keys that lay under them. */
  projectKeys: count,
  dataKeys: count,
  /** `kept`: copies of the database from before still open with it. */
  organisationKey: z.enum(ORGANISATION_KEY_ENDS),
  /** Of `scheduled`: from when on it is gone. */
  goneBy: moment.optional(),
});

export type TombstoneStatement = z.infer<typeof tombstoneStatement>;

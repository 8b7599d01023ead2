import { z } from 'zod';
import { idOf, jurisdiction, moment } from '../fields.ts';

/** The custodian's notice of a provider's machine as the keyring has it: whose it is, under which laws it stands, and until when it may start work. */
export const admission = z.strictObject({
  agent: idOf('agent'),
  provider: idOf('provider'),
  jurisdictions: z.array(jurisdiction).min(1).max(4),
  /** 0 when that has ended, of itself or with its admitter. */
  until: moment,
});

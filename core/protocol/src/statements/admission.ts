import { z } from 'zod';
import { awayTier, idOf, jurisdiction, moment, sealKey, signKey, tlsKey } from '../fields.ts';

const v = z.literal(1);
/** Two here and two there: four are what a machine may have in all. */
const jurisdictions = z.array(jurisdiction).min(1).max(2);
const BACKWARDS = 'ends before it begins';

/** An admitter's word that a provider belongs to a tier: whose machines `authority` may vouch for, and under whose law their operator stands. */
export const admissionStatement = z
  .strictObject({
    v,
    provider: idOf('provider'),
    tier: awayTier,
    authority: signKey,
    jurisdictions,
    from: moment,
    until: moment,
  })
  .refine(({ from, until }) => from < until, BACKWARDS);

/** A provider's word, signed by its authority of one tier, that these are the keys of one machine, and where that stands. */
export const machineStatement = z
  .strictObject({
    v,
    provider: idOf('provider'),
    tier: awayTier,
    agent: idOf('agent'),
    site: idOf('site'),
    sign: signKey,
    tls: tlsKey,
    seal: sealKey,
    jurisdictions,
    from: moment,
    until: moment,
  })
  .refine(({ from, until }) => from < until, BACKWARDS);

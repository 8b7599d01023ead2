import { idOf, signKey } from '@ringfence/protocol';
import { controlPlaneRoute, partyRoute } from '@ringfence/protocol/payload';
import { z } from 'zod';

const custodian = partyRoute.extend({ id: idOf('custodian') });

/** What a join code says to an agent: its custodian, the roots to expect, the control plane to serve. */
export const joinRoute = z.strictObject({ controlPlane: controlPlaneRoute, orgRoot: signKey, custodian });
/** What a claim code says to whoever sets up the organisation: an unclaimed custodian and how to reach it. */
export const claimRoute = z.strictObject({ custodian });
/** What a registration code says to an organisation's owner: a control plane that would take it. */
export const registrationRoute = z.strictObject({ controlPlane: controlPlaneRoute });

export type JoinRoute = z.infer<typeof joinRoute>;
export type ClaimRoute = z.infer<typeof claimRoute>;
export type RegistrationRoute = z.infer<typeof registrationRoute>;

import { z } from 'zod';
import { bytes32, envelope, idOf, signKey } from '../fields.ts';

/** `POST /v1/organisations`, from a custodian that holds a registration code; the proof covers all other fields. */
export const organisationRegistration = z.strictObject({
  code: idOf('joinCode'),
  org: idOf('org'),
  custodian: idOf('custodian'),
  /** Key of the custodian's frames and notices. */
  sign: signKey,
  /** Key that signs labels; leases are placed under no other. */
  enrolment: signKey,
  proof: bytes32,
});
/** The control plane's proof that it knew the secret, and its keys. */
export const organisationAnswer = z.strictObject({ org: idOf('org'), keys: envelope, proof: bytes32 });

/** `GET /v1/control-plane`: public. */
export const controlPlaneAnswer = z.strictObject({ id: idOf('controlPlane'), version: z.string(), keys: envelope });

/** Every error answer of every role: a code that is API, a sentence for people, the next step. */
export const errorAnswer = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    next: z.string().optional(),
    problems: z.array(z.strictObject({ path: z.string(), code: z.string() })).optional(),
    /** With `step-up`: the level that is asked, how young factors have to be, and which of them, given now, would be enough (RFC 9470). */
    level: z.int().min(1).max(3).optional(),
    withinMs: z.int().min(0).optional(),
    enough: z.array(z.string()).optional(),
    /** With level 3: of what the challenge of a passkey has to be, which is then good for this very request alone. */
    forDigest: z.string().optional(),
  }),
});

import { z } from 'zod';
import {
  bytes32,
  envelope,
  idOf,
  jurisdiction,
  moment,
  sealKey,
  sha256,
  signKey,
  tier,
  tlsKey,
  whole,
} from '../fields.ts';

/** How to reach a control plane and what proves that it is the right one. */
export const controlPlaneRoute = z.strictObject({
  id: idOf('controlPlane'),
  url: z.url({ protocol: /^https$/ }),
  root: signKey,
  caPin: sha256.nullable(),
});
/** How to reach a party of the organisation: through the relay, and on the LAN where it opted in. */
export const partyRoute = z.strictObject({
  tls: tlsKey,
  relay: z.strictObject({ url: z.url({ protocol: /^https$/ }), caPin: sha256.nullable() }).nullable(),
  lan: z
    .string()
    .regex(/^[^\s]{1,255}:\d{1,5}$/)
    .nullable(),
});

/** An agent's own new keys and what its machine is; the proof of a join covers exactly these bytes. */
export const joinKeys = z.strictObject({
  sign: signKey,
  tls: tlsKey,
  seal: sealKey,
  allowProcess: z.boolean(),
  lan: partyRoute.shape.lan,
});
/** `POST /v1/join`, from a peer that is not in the keyring yet. */
export const joinRequest = z.strictObject({
  code: idOf('joinCode'),
  keys: joinKeys,
  /** Of a machine away from home: the statements `admission` and `machine`. */
  admitted: z.strictObject({ admission: envelope, machine: envelope }).optional(),
  proof: bytes32,
});
/** `POST /v1/agents/AGENT/renew`: new papers of a machine away from home. */
export const admissionRenewal = z.strictObject({
  admitted: z.strictObject({ admission: envelope, machine: envelope }),
});
/** `POST /v1/agents/AGENT/certificate`, from that agent: a certificate (PEM) for the key that its link proves. */
export const agentCertificateAnswer = z.strictObject({
  certificate: z.string().max(16_384),
  /** For so many milliseconds from now. */
  lifetimeMs: whole(1, 86_400_000),
});
/** The custodian proves that it knew the secret too, and hands over the keyring that now names the agent. */
export const joinAnswer = z.strictObject({
  proof: bytes32,
  agent: idOf('agent'),
  org: idOf('org'),
  keyring: z.array(envelope),
  head: envelope,
  controlPlane: controlPlaneRoute,
  custodian: idOf('custodian'),
  route: partyRoute,
});

/** What an unclaimed custodian says of itself to a holder of its claim code. */
export const custodianKeys = z.strictObject({
  custodian: idOf('custodian'),
  sign: signKey,
  enrolment: signKey,
  tls: tlsKey,
  seal: sealKey,
});
/** `POST /v1/claim/keys`: the proof covers the TLS key that asks. */
export const claimKeysRequest = z.strictObject({ proof: bytes32 });
/** The custodian's keys, proven with the claim secret. */
export const claimKeysAnswer = z.strictObject({ keys: custodianKeys, proof: bytes32 });
/** `POST /v1/claim`: the new organisation's first keyring, its recovery posture, and leave to register at a control plane. */
export const claimRequest = z.strictObject({
  proof: bytes32,
  keyring: z.array(envelope).min(5).max(64),
  registration: z.string().max(2048),
  passphraseSealed: z.boolean(),
});
/** The claimed custodian's first answer. */
export const claimAnswer = z.strictObject({
  org: idOf('org'),
  project: idOf('project'),
  head: envelope,
  controlPlane: controlPlaneRoute,
});

/** `POST /v1/join-codes`. */
export const joinCodeRequest = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/),
  site: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/),
  tier,
  validMs: whole(60_000, 604_800_000),
  /** Where the machine stands; jobs and data with a residency go nowhere else. */
  jurisdictions: z.array(jurisdiction).min(1).max(4).optional(),
});
/** The code in its text form: a secret, to be typed, piped or read from a file. */
export const joinCodeAnswer = z.strictObject({ id: idOf('joinCode'), code: z.string().max(4096) });
/** `GET /v1/join-codes`: codes that were made, without their secrets; `agent` spent it. */
export const joinCodesAnswer = z.strictObject({
  codes: z.array(
    z.strictObject({
      id: idOf('joinCode'),
      name: z.string(),
      site: z.string(),
      tier,
      at: moment,
      expires: moment,
      agent: idOf('agent').nullable(),
    }),
  ),
});

export type ControlPlaneRoute = z.infer<typeof controlPlaneRoute>;
export type PartyRoute = z.infer<typeof partyRoute>;
export type JoinKeys = z.infer<typeof joinKeys>;
export type CustodianKeys = z.infer<typeof custodianKeys>;

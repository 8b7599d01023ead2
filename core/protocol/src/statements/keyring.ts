import { z } from 'zod';
import { envelope, idOf, jurisdiction, moment, sealKey, sha256, signKey, tier, tlsKey, whole } from '../fields.ts';

/** Roles that a keyring can bind a device to. */
export const KEYRING_ROLES = [
  'owner',
  'officer',
  'operator',
  'ml-engineer',
  'data-owner',
  'auditor',
  'provider',
  'read-only',
] as const;
/** What a delegated key may sign. */
export const DELEGATIONS = ['add-agent', 'remove', 'head', 'label', 'grant', 'commit'] as const;

/** Any `threshold` of these keys together outrank the root; an envelope carries at most eight signatures, one of them the new root's. */
const recovery = z.strictObject({ threshold: whole(1, 7), keys: z.array(signKey).min(1).max(16) });
/** What admits a machine away from home: the statements `admission` and `machine`. */
const papers = z.strictObject({ admission: envelope, machine: envelope });
const subject = z.union([idOf('device'), idOf('agent'), idOf('custodian'), idOf('org')]);

/** One change of the keyring. */
export const keyringChange = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('genesis'), root: signKey, recovery }),
  z.strictObject({
    kind: z.literal('rotate-root'),
    root: signKey,
    recovery,
    /** Signed by recovery keys only: the last statement that counts; those after it are void, what they named stays burnt. */
    keep: whole(0, 1_000_000).optional(),
  }),
  z.strictObject({ kind: z.literal('add-device'), device: idOf('device'), sign: signKey, tls: tlsKey }),
  z.strictObject({ kind: z.literal('add-officer'), device: idOf('device') }),
  z.strictObject({
    kind: z.literal('bind-role'),
    device: idOf('device'),
    role: z.enum(KEYRING_ROLES),
    project: idOf('project').optional(),
  }),
  /** Takes one binding back: the same role, in the same project or in the whole organisation. */
  z.strictObject({
    kind: z.literal('unbind-role'),
    device: idOf('device'),
    role: z.enum(KEYRING_ROLES),
    project: idOf('project').optional(),
  }),
  z.strictObject({
    kind: z.literal('add-custodian'),
    custodian: idOf('custodian'),
    sign: signKey,
    tls: tlsKey,
    seal: sealKey,
  }),
  z.strictObject({
    kind: z.literal('delegate'),
    custodian: idOf('custodian'),
    key: signKey,
    may: z.array(z.enum(DELEGATIONS)).min(1),
    notAfter: moment,
  }),
  z.strictObject({
    kind: z.literal('add-agent'),
    agent: idOf('agent'),
    site: idOf('site'),
    tier,
    sign: signKey,
    tls: tlsKey,
    seal: sealKey,
    allowProcess: z.boolean(),
    /** Where the machine stands, as the organisation says; without it, nowhere in particular. */
    jurisdictions: z.array(jurisdiction).min(1).max(4).optional(),
    /** Of a machine away from home. */
    admitted: papers.optional(),
  }),
  /** New papers of a machine away from home: the same keys, site, tier, provider and places, for longer. */
  z.strictObject({ kind: z.literal('renew-admission'), agent: idOf('agent'), admitted: papers }),
  z.strictObject({ kind: z.literal('add-peer'), org: idOf('org'), root: signKey }),
  z.strictObject({ kind: z.literal('add-admitter'), key: signKey, tier }),
  z.strictObject({
    kind: z.literal('add-evidence-issuer'),
    key: signKey,
    standards: z.array(z.string().max(32)).min(1).max(16),
  }),
  z.strictObject({ kind: z.literal('remove-admitter'), key: signKey }),
  z.strictObject({ kind: z.literal('remove-evidence-issuer'), key: signKey }),
  z.strictObject({
    kind: z.literal('remove'),
    subject,
    reason: z.enum(['left', 'lost', 'compromised', 'cloned', 'replaced']),
  }),
]);

/** One link of an organisation's keyring: signed, and naming the one before by digest (64 zeros before the first). */
export const keyringStatement = z.strictObject({
  v: z.literal(1),
  org: idOf('org'),
  seq: whole(0, 1_000_000),
  prev: sha256,
  at: moment,
  change: keyringChange,
});

/** The custodian's word on which statement is the newest. */
export const keyringHead = z.strictObject({
  v: z.literal(1),
  org: idOf('org'),
  custodian: idOf('custodian'),
  seq: whole(0, 1_000_000),
  digest: sha256,
  epoch: whole(1, 1_000_000),
  at: moment,
});

export type KeyringChange = z.infer<typeof keyringChange>;
export type KeyringStatement = z.infer<typeof keyringStatement>;

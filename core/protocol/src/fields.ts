import { ID_PREFIX, type EpochMs, type Id, type IdKind } from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import type { SealPublicKey } from '@ringfence/crypto/seal';
import type { Digest, SigningPublicKey } from '@ringfence/crypto/sign';
import { z } from 'zod';

/** A schema of text that parses into a branded type; it stays an ordinary string schema for OpenAPI. */
function text<T extends string>(pattern: RegExp): z.ZodType<T, T> {
  return z.string().regex(pattern) as unknown as z.ZodType<T, T>;
}

/** Last letters of canonical base64url (RFC 4648 §3.5: stray bits zero), so that one key has one spelling. */
const LAST_LETTER = ['[A-Za-z0-9_-]', '[AQgw]', '[AEIMQUYcgkosw048]'] as const;

function base64UrlOf(bytes: number): RegExp {
  return new RegExp(`^[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3) - 1}}${LAST_LETTER[bytes % 3]}$`);
}

/** A random id of `kind`. */
export function idOf<Kind extends IdKind>(kind: Kind): z.ZodType<Id<Kind>, Id<Kind>> {
  return text<Id<Kind>>(new RegExp(`^${ID_PREFIX[kind]}_[a-h][a-z2-7]{25}$`));
}

/** Lower-case hexadecimal SHA-256. */
export const sha256 = text<Digest>(/^[0-9a-f]{64}$/);
/** An Ed25519 key that signs statements or frames (base64url of 32 bytes). */
export const signKey = text<SigningPublicKey>(base64UrlOf(32));
/** An Ed25519 key that proves a TLS identity (base64url of 32 bytes). */
export const tlsKey = text<TlsPublicKey>(base64UrlOf(32));
/** An X25519 + ML-KEM-768 key that payload is sealed to (base64url of 1,216 bytes). */
export const sealKey = text<SealPublicKey>(base64UrlOf(1216));
/** Base64url of 32 bytes without a role of their own: nonces, salts, codes' proofs. */
export const bytes32 = z.string().regex(base64UrlOf(32));
/** A moment on the wall clock in milliseconds, before the year 2100. */
export const moment = z.int().min(0).max(4_102_444_800_000) as unknown as z.ZodType<EpochMs, EpochMs>;
/** A whole number in [minimum, maximum]. */
export const whole = (minimum: number, maximum: number): z.ZodNumber => z.int().min(minimum).max(maximum);
/** An attempt number: the fencing token of a job. */
export const attemptNumber = whole(1, 1_000_000);

/** How sensitive data is; each step is stricter than the one before. */
export const SENSITIVITIES = ['public', 'internal', 'confidential', 'restricted'] as const;
/** Where a job may run; a set, never an order. */
export const TIERS = ['private', 'secure-cloud', 'community-cloud'] as const;
/** How well a job is kept apart from the machine; each step is stricter than the one before. */
export const ISOLATIONS = ['process', 'sandbox', 'container', 'gvisor', 'microvm', 'tee'] as const;
/** Kinds of work. */
export const JOB_TYPES = ['train', 'serve', 'batch', 'federate', 'compute'] as const;
/** Kinds of trusted execution environment. */
export const TEES = ['sev-snp', 'tdx', 'nitro'] as const;
/** Grades of evidence, each stronger than the one before. */
export const EVIDENCE_GRADES = ['self-declared', 'documented', 'third-party', 'measured'] as const;
/** Standards and practices that evidence can speak of. */
export const EVIDENCE_STANDARDS = [
  'iso27001',
  'soc2',
  'hipaa-baa',
  'gdpr-processor',
  'physical-access',
  'patch-level',
  'penetration-test',
  'data-residency',
] as const;

/** Why an attempt may be followed by another. */
export const RETRY_REASONS = ['no-capacity', 'interruption', 'error'] as const;

export const sensitivity = z.enum(SENSITIVITIES);
export const tier = z.enum(TIERS);
/** A tier whose machines belong to somebody else. */
export const awayTier = z.enum(['secure-cloud', 'community-cloud']);
export const isolation = z.enum(ISOLATIONS);
export const jobType = z.enum(JOB_TYPES);
export const tee = z.enum(TEES);
export const retryReason = z.enum(RETRY_REASONS);
export const evidenceGrade = z.enum(EVIDENCE_GRADES);
export const evidenceStandard = z.enum(EVIDENCE_STANDARDS);
/** What a provider calls the place of a machine. */
export const region = z.string().regex(/^[a-z0-9-]{1,32}$/);
/** ISO 3166-1 alpha-2 country, or EU / EEA. */
export const jurisdiction = z.string().regex(/^(?:[A-Z]{2}|EEA)$/);

export type Sensitivity = z.infer<typeof sensitivity>;
export type Tier = z.infer<typeof tier>;
export type Isolation = z.infer<typeof isolation>;
export type JobType = z.infer<typeof jobType>;
export type RetryReason = z.infer<typeof retryReason>;

/** A DSSE envelope whose payload is one of the statements; 12 KiB at most. */
export const envelope = z.strictObject({
  payloadType: z.string().regex(/^application\/vnd\.ringfence\.[a-z-]{1,32}\.v1\+json$/),
  payload: z.base64().max(12_288),
  signatures: z
    .array(z.strictObject({ keyid: z.string().regex(/^[0-9a-f]{32}$/), sig: z.base64().length(88) }))
    .min(1)
    .max(8)
    .readonly(),
});
/** An envelope of in-toto's, as evidence comes; none crosses a control link. */
export const evidenceEnvelope = envelope.extend({ payloadType: z.literal('application/vnd.in-toto+json') });

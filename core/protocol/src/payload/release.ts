import { z } from 'zod';
import { attemptNumber, envelope, idOf, moment, sensitivity, sha256, whole } from '../fields.ts';
import { MOST_RELEASED, purposeWord, recipients } from '../statements/release.ts';
import { packReference } from './pack.ts';
import { payloadName } from './workload.ts';

const bytes = whole(0, Number.MAX_SAFE_INTEGER);
const LONGEST_MS = 31_622_400_000;

/** What is asked for: a version of an artifact, or the sealed log of an attempt; the newest when no number is given. */
const wanted = z.union([
  z.strictObject({ artifact: payloadName, version: whole(1, 1_000_000).optional() }),
  z.strictObject({ logs: idOf('job'), attempt: attemptNumber.optional() }),
]);

/** `POST /v1/releases`: asks the owners for these objects, by the digests that they have now. */
export const releaseRequest = z.strictObject({
  of: z.array(wanted).min(1).max(MOST_RELEASED),
  purpose: purposeWord,
  recipients,
  /** For how long it is to be open, from the decision on. */
  validMs: whole(60_000, LONGEST_MS),
});

/** One object of a request. */
export const releasedObject = z.strictObject({
  digest: sha256,
  of: z.union([
    z.strictObject({ artifact: idOf('artifact'), name: payloadName, version: whole(1, 1_000_000) }),
    z.strictObject({ logs: idOf('job'), attempt: attemptNumber }),
  ]),
  sensitivity,
  job: idOf('job').nullable(),
  files: whole(0, 1_000_000),
  bytes,
});

/** Where a request stands: one refusal refuses it, all owners' words release it. */
export const RELEASE_STATES = ['open', 'released', 'refused', 'ended'] as const;

/** An owner's word on a request; `ended` when it counts no more. */
const ownersWord = z.strictObject({
  device: idOf('device'),
  decision: z.enum(['released', 'refused']),
  word: sha256,
  at: moment,
  notAfter: moment,
  ended: z.boolean(),
});

/** Data that something was made of, and whose word it takes. */
const sourceRow = z.strictObject({
  source: z.union([idOf('artifact'), idOf('job')]),
  name: payloadName.optional(),
  owners: z.array(idOf('device')).max(256),
});

export const releaseRow = z.strictObject({
  request: idOf('release'),
  device: idOf('device'),
  at: moment,
  purpose: purposeWord,
  recipients,
  validMs: whole(60_000, LONGEST_MS),
  objects: z.array(releasedObject).max(MOST_RELEASED),
  sources: z.array(sourceRow).max(256),
  words: z.array(ownersWord).max(256),
  state: z.enum(RELEASE_STATES),
  openings: whole(0, Number.MAX_SAFE_INTEGER),
  lastOpened: moment.nullable(),
});

export const ruleRow = z.strictObject({
  word: sha256,
  statement: envelope,
  name: payloadName.optional(),
  ended: z.boolean(),
  openings: whole(0, Number.MAX_SAFE_INTEGER),
  lastOpened: moment.nullable(),
});

/** `GET /v1/releases`: the newest 1,000 requests, and every rule that was not ended. */
export const releasesAnswer = z.strictObject({ requests: z.array(releaseRow), rules: z.array(ruleRow) });

/** `GET /v1/releases/REQUEST`: for an owner who may look, with the keys of the packs in the order of `objects`. */
export const reviewAnswer = z.strictObject({
  request: releaseRow,
  project: idOf('project'),
  /** What the jobs that made it were given. */
  inputs: z.array(z.strictObject({ job: idOf('job'), name: payloadName, version: whole(1, 1_000_000), sensitivity })),
  preview: z.array(packReference).max(MOST_RELEASED).optional(),
});

/** `POST /v1/releases/REQUEST/approve` and `/refuse`, `POST /v1/release-rules`, `POST /v1/release-ends`. */
export const releaseWord = z.strictObject({ statement: envelope });

/** `POST /v1/openings`, from an agent, before it shows a device something of a job on confidential or restricted data. */
export const openingRequest = z.strictObject({
  job: idOf('job'),
  attempt: attemptNumber,
  device: idOf('device'),
  kind: z.enum(['logs', 'metrics']),
});
export const openingAnswer = z.discriminatedUnion('result', [
  z.strictObject({ result: z.literal('opened') }),
  z.strictObject({ result: z.literal('refused'), reason: z.enum(['not-released', 'not-found']) }),
]);

/** What a gateway is told of an endpoint on confidential or restricted data: until when its answers are released, and to whom. */
export const endpointRelease = z.strictObject({
  /** Every member. */
  members: moment.nullable(),
  /** These members besides. */
  devices: z.array(z.strictObject({ device: idOf('device'), until: moment })).max(256),
  /** Whoever shows a token. */
  tokens: moment.nullable(),
});

export type ReleaseRow = z.infer<typeof releaseRow>;
export type ReleaseRuleRow = z.infer<typeof ruleRow>;
export type EndpointRelease = z.infer<typeof endpointRelease>;

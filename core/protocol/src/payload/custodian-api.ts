import { z } from 'zod';
import {
  attemptNumber,
  bytes32,
  envelope,
  idOf,
  jurisdiction,
  moment,
  sensitivity,
  sha256,
  tier,
  whole,
} from '../fields.ts';
import { placementPart } from '../statements/placement.ts';
import { journalPoint } from '../messages/session.ts';
import { partyRoute } from './enrolment.ts';
import { sitePath } from './data-in-place.ts';
import { chunkReference, packReference } from './pack.ts';
import { payloadName, variableName } from './workload.ts';

/** `GET /v1/keyring?after=N`: statements with seq > N, and the signed head. */
export const keyringAnswer = z.strictObject({ statements: z.array(envelope), head: envelope });
/** `POST /v1/keyring`: one statement signed by a device or by the root. */
export const keyringAppend = z.strictObject({ statement: envelope });

/** `POST /v1/chunks/missing`; chunks that are here answer with all that a manifest needs. */
/** `GET /v1/dedupe-key`: HMAC key of chunk ids. */
export const dedupeKeyAnswer = z.strictObject({ dedupeKey: bytes32 });
export const chunksMissingRequest = z.strictObject({ ids: z.array(sha256).max(20_000) });
export const chunksMissingAnswer = z.strictObject({ present: z.array(chunkReference) });
/** `POST /v1/chunks`, after `POST /v1/objects` carried the bytes. */
export const chunksRegister = z.strictObject({ chunks: z.array(chunkReference).max(20_000) });
/** `POST /v1/objects` takes a stream of (u32 length ‖ sealed object)…; each is stored under the SHA-256 of its bytes. */
export const objectsAnswer = z.strictObject({ stored: z.array(sha256) });

const datasetVersion = {
  name: payloadName,
  sensitivity,
  residency: z.array(jurisdiction).max(32),
  purposes: z.array(z.string().regex(/^[a-z0-9-]{1,64}$/)).max(32),
  files: whole(0, 1_000_000),
  bytes: whole(0, Number.MAX_SAFE_INTEGER),
  /** Said by an owner who knows that this version's label is looser than that of the one before. */
  lowerLabel: z.literal(true).optional(),
  /** Datasets or outputs that it has rows of, beside those that it shares sealed objects with. */
  derivedFrom: z.array(payloadName).max(16).optional(),
  /** No job mounts it but those of a federation. */
  contractOnly: z.literal(true).optional(),
  /** Whose word releases what is made of it; of a new dataset the device that adds it when absent. */
  owner: idOf('device').optional(),
};
/** `POST /v1/datasets`: the label belongs to the data and is set here by its owner. */
export const datasetRequest = z.strictObject({ ...datasetVersion, pack: packReference });
/** `POST /v1/datasets/in-place`: data that stays at the site of the agent that read it. */
export const placedDatasetRequest = z.strictObject({
  ...datasetVersion,
  agent: idOf('agent'),
  path: sitePath,
  manifest: sha256,
});
export const artifactRow = z.strictObject({
  artifact: idOf('artifact'),
  kind: z.enum(['dataset', 'output']),
  name: payloadName,
  version: whole(1, 1_000_000),
  sensitivity,
  residency: z.array(jurisdiction),
  purposes: z.array(z.string()),
  /** The owners of what it was made from allow no purpose in common. */
  noPurpose: z.literal(true).optional(),
  files: whole(0, 1_000_000),
  bytes: whole(0, Number.MAX_SAFE_INTEGER),
  job: idOf('job').nullable(),
  at: moment,
  /** Of data that is not copied: where it lies. */
  place: z.strictObject({ site: idOf('site'), siteName: z.string().max(256), path: sitePath }).optional(),
});
export const artifactsAnswer = z.strictObject({ artifacts: z.array(artifactRow) });
/** `GET /v1/artifacts/NAME?version=N`: for a device that may open it. */
export const artifactOpenAnswer = z.strictObject({
  artifact: artifactRow,
  project: idOf('project'),
  pack: packReference,
});

/** Why a version stays that a wish would remove. */
export const PRUNE_KEPT = ['newest', 'mounted'] as const;
export type PruneKept = (typeof PRUNE_KEPT)[number];
const prunedVersion = { name: payloadName, version: whole(1, 1_000_000), bytes: whole(0, Number.MAX_SAFE_INTEGER) };
/** `POST /v1/artifacts/prune`: versions that go, then the objects that nothing names any more. */
export const pruneRequest = z
  .strictObject({
    /** Of these artifacts alone; of all when empty. */
    names: z.array(payloadName).max(64),
    /** The newest ones that stay. */
    keep: whole(1, 1_000_000).optional(),
    olderThanMs: whole(0, 3_153_600_000_000).optional(),
    /** This one of the only name, even if it is the newest. */
    version: whole(1, 1_000_000).optional(),
    /** Logs of jobs that are over. */
    logsOlderThanMs: whole(0, 3_153_600_000_000).optional(),
    /** Objects that were stored or relied on since then stay: an upload may be about to name them. */
    graceMs: whole(3_600_000, 31_536_000_000),
    dryRun: z.boolean(),
  })
  .refine(({ names, version }) => version === undefined || names.length === 1, 'a version is that of one name');
export const pruneAnswer = z.strictObject({
  removed: z.array(z.strictObject(prunedVersion)),
  kept: z.array(z.strictObject({ ...prunedVersion, reason: z.enum(PRUNE_KEPT) })),
  objects: whole(0, Number.MAX_SAFE_INTEGER),
  bytes: whole(0, Number.MAX_SAFE_INTEGER),
});

/** `POST /v1/labels`. */
export const labelRequest = z.strictObject({
  job: idOf('job'),
  mounts: z.array(payloadName).max(64),
  wish: sensitivity.optional(),
  purpose: z.string().max(64).optional(),
  /** Name of a profile that the job is to be held to. */
  profile: payloadName.optional(),
  /** Long for a service; each grant asks anew whether the label is still as strict as the data. */
  validMs: whole(60_000, 31_622_400_000),
});
/** `sites`: where mounted data lies that is not copied; the job can run nowhere else. `profile`: the version that the label names. */
export const labelAnswer = z.strictObject({
  label: envelope,
  sites: z.array(idOf('site')).min(1).max(1).optional(),
  profile: envelope.optional(),
});

/** `POST /v1/jobs`: the workload sealed to the custodian, before the control plane hears of the job. */
export const jobDeposit = z.strictObject({
  job: envelope,
  label: envelope,
  placement: placementPart,
  workload: z.base64().max(4_000_000),
});
export const jobRow = z.strictObject({
  job: idOf('job'),
  name: payloadName,
  device: idOf('device'),
  at: moment,
  attempt: attemptNumber.nullable(),
  agent: idOf('agent').nullable(),
  committed: z.boolean(),
});
export const jobsAnswer = z.strictObject({ jobs: z.array(jobRow) });
/** `POST /v1/grants`, from the leased agent: the four statements, and where its own journal stands. */
export const grantRequest = z.strictObject({
  job: envelope,
  label: envelope,
  placement: placementPart,
  receipt: envelope,
  lease: envelope,
  controlPlaneKeys: envelope,
  journal: journalPoint,
  resume: journalPoint.nullable(),
});
/** Why the custodian says no; its no is final for this attempt. */
export const GRANT_REFUSALS = [
  'unknown-job',
  'bad-statements',
  'job-expired',
  'device-removed',
  'label-changed',
  'placement',
  'attempt-not-new',
  'attempt-may-run',
  'committed',
  'closed',
  'locked',
  'fork',
  'epoch',
  'dataset-gone',
  'contract-only',
  'secret-missing',
  'wrong-site',
  'profile',
  'policy',
  'federation',
] as const;
/** A grant that the custodian refused, and the checks of statements that failed, in order. */
export const refusedGrant = z.strictObject({
  at: moment,
  agent: idOf('agent'),
  reason: z.enum(GRANT_REFUSALS),
  checks: z.array(z.string().max(40)).max(32),
});
/** `GET /v1/jobs/JOB`. */
export const jobAnswer = z.strictObject({
  row: jobRow,
  commit: envelope.nullable(),
  grants: z.array(envelope),
  outputs: z.array(artifactRow),
  /** The last grant that was refused, unless one was given since. */
  refusedGrant: refusedGrant.optional(),
  /** Secrets that it lacked. */
  missingSecrets: z.array(variableName).optional(),
});

/**
 * `payload` is the grant payload sealed to the agent's sealing key. `resume`: the agent's `resume` names another record than the one that
 * the custodian stored last (the answer to an earlier request was lost), so it asks for the hash of that one; the agent repeats the request.
 */
export const grantAnswer = z.discriminatedUnion('result', [
  z.strictObject({ result: z.literal('granted'), grant: envelope, payload: z.base64() }),
  z.strictObject({ result: z.literal('refused'), reason: z.enum(GRANT_REFUSALS) }),
  z.strictObject({ result: z.literal('resume'), seq: whole(1, Number.MAX_SAFE_INTEGER) }),
]);

/** `POST /v1/stopped`. */
export const stoppedReport = z.strictObject({ stopped: envelope });
/** The custodian has stored it. */
export const stoppedAnswer = z.strictObject({ stored: z.literal(true) });
/** `POST /v1/backup`: the archive is sealed under this passphrase and streamed back. */
export const backupRequest = z.strictObject({ passphrase: z.string().min(12).max(1024) });
/** `POST /v1/commits`: where each output lies; the objects were uploaded before. */
export const commitRequest = z.strictObject({
  job: idOf('job'),
  attempt: attemptNumber,
  outputs: z
    .array(
      z.strictObject({
        artifact: idOf('artifact'),
        version: whole(1, 1_000_000),
        pack: packReference,
        files: whole(0, 1_000_000),
        bytes: whole(0, Number.MAX_SAFE_INTEGER),
      }),
    )
    .max(64),
});
export const commitAnswer = z.discriminatedUnion('result', [
  z.strictObject({ result: z.literal('committed'), commit: envelope }),
  z.strictObject({
    result: z.literal('refused'),
    reason: z.enum(['not-current', 'already-committed', 'missing-objects', 'locked']),
  }),
]);

/** `GET /v1/agents`: names are payload and come from here. */
export const agentsAnswer = z.strictObject({
  agents: z.array(
    z.strictObject({
      agent: idOf('agent'),
      name: z.string(),
      site: z.string(),
      tier,
      route: partyRoute,
      locked: z.boolean(),
      removed: z.boolean(),
    }),
  ),
});
export const agentRemoval = z.strictObject({ reason: z.enum(['left', 'lost', 'compromised', 'cloned', 'replaced']) });

/** `GET /v1/status`, for doctor. */
export const custodianStatus = z.strictObject({
  org: idOf('org').nullable(),
  project: idOf('project').nullable(),
  custodian: idOf('custodian'),
  version: z.string(),
  epoch: whole(1, 1_000_000),
  keyringSeq: whole(0, 1_000_000).nullable(),
  headAt: moment.nullable(),
  controlLink: z.enum(['unclaimed', 'down', 'up', 'locked']),
  lastBackupAt: moment.nullable(),
  seal: z.enum(['key-file', 'passphrase']),
  database: z.enum(['embedded', 'url']),
  /** Why its database is not one for production. */
  databaseUnfit: z
    .array(z.enum(['embedded-database', 'unprotected-connection', 'not-durable', 'superuser-url']))
    .max(4)
    .optional(),
  /** Of an earlier release; see `GET /v1/dedupe-key`. */
  dedupeKey: bytes32.optional(),
  /** Of the disk of its state folder; uploads leave the reserve free. */
  disk: z
    .strictObject({
      freeBytes: whole(0, Number.MAX_SAFE_INTEGER),
      totalBytes: whole(0, Number.MAX_SAFE_INTEGER),
      reserveBytes: whole(0, Number.MAX_SAFE_INTEGER),
      /** Of sealed objects, as rows tell. */
      objectBytes: whole(0, Number.MAX_SAFE_INTEGER),
    })
    .optional(),
});

export type GrantRefusal = (typeof GRANT_REFUSALS)[number];
export type RefusedGrant = z.infer<typeof refusedGrant>;
export type ArtifactRow = z.infer<typeof artifactRow>;
export type JobRow = z.infer<typeof jobRow>;

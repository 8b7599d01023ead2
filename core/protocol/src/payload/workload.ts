import { z } from 'zod';
import { bytes32, envelope, idOf, isolation, sha256, whole } from '../fields.ts';
import { resources } from '../statements/placement.ts';
import { egressTarget } from './egress.ts';
import { FEDERATION_ROLES } from './federation-role.ts';
import { audiencesByFile } from './identities.ts';
import { imageText, pythonVersion } from './image-source.ts';
export { parseImageSource, type ImageSource } from './image-source.ts';
import { dataPlace } from './data-in-place.ts';
import { packReference } from './pack.ts';
import { serviceSpec } from './service.ts';

/** An absolute, normalised path inside a sandbox. */
export const sandboxPath = z
  .string()
  .max(4096)
  .regex(/^(?:\/[^/\p{Cc}]+)+$/u)
  .refine((path) => path.split('/').every((step) => step !== '.' && step !== '..'), 'not a normalised path');
/** A name that people give: payload, unknown to the control plane. */
export const payloadName = z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/i);
/** What may be told of a job that is over. */
export const NOTIFY_EVENTS = ['failed', 'succeeded', 'stopped'] as const;
/** The name of an environment variable. */
export const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/);

/** Where secrets lie that are files: in memory, for the job alone. */
export const SECRETS_FOLDER = '/run/secrets';
/** The path of one of them. */
export const SECRET_FILE = /^\/run\/secrets\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;

/** Text of a secret: what an environment variable can hold. */
export const secretValue = z
  .string()
  .min(1)
  .max(32_768)
  .refine((value) => !value.includes('\0'), 'no NUL');

/**
 * What runs: sealed by the client to the custodian, and by the custodian's grant to the agent. `payloadDigest` of the job statement is
 * SHA-256 of its canonical bytes; the salt keeps the control plane from guessing them.
 */
export const workload = z.strictObject({
  v: z.literal(1),
  salt: bytes32,
  name: payloadName,
  /** Left out only with an image, whose own command then runs. */
  run: z.string().min(1).max(65_536).optional(),
  setup: z.string().min(1).max(65_536).optional(),
  /** The root file system; at most one of the two, and neither is the site's default. */
  image: imageText.optional(),
  python: pythonVersion.optional(),
  code: packReference.optional(),
  env: z.record(variableName, z.string().max(32_768)),
  secrets: z.array(variableName).max(64),
  /** Those of them that are files of this path in memory instead of variables. */
  secretFiles: z.record(variableName, z.string().regex(SECRET_FILE)).optional(),
  mounts: z.array(z.strictObject({ path: sandboxPath, dataset: payloadName })).max(64),
  outputs: z.array(z.strictObject({ path: sandboxPath, artifact: payloadName })).max(64),
  resources,
  isolation,
  maxDurationMs: whole(1_000, 31_536_000_000),
  stopGraceMs: whole(0, 600_000),
  logs: z.enum(['local', 'sealed']),
  purpose: z.string().max(64).optional(),
  /** What the job may reach; nothing when absent. The placement part says `declared` exactly then. */
  egress: z.array(egressTarget).min(1).max(64).optional(),
  /** A folder in an output that the next attempt finds as the last one left it. */
  checkpoint: sandboxPath.optional(),
  /** Of what the custodian tells its webhooks. */
  notify: z.array(z.enum(NOTIFY_EVENTS)).max(3).optional(),
  /** Tokens that it gets, for whom, by the names of their files. */
  identity: audiencesByFile.optional(),
  /** Of a `serve` job, and of no other. */
  service: serviceSpec.optional(),
  /** Of a `federate` job, and of no other: the digest of the contract, and what the attempt does in it. */
  federation: z.strictObject({ contract: sha256, role: z.enum(FEDERATION_ROLES) }).optional(),
});

const grantedMount = { path: sandboxPath, artifact: idOf('artifact'), version: whole(1, 1_000_000) };

/** What a grant opens: the workload, and for each mount the pack that the custodian resolved it to, or where its data lies at the agent's site. */
export const grantPayload = z.strictObject({
  v: z.literal(1),
  workload,
  project: idOf('project'),
  mounts: z
    .array(
      z.union([
        z.strictObject({ ...grantedMount, pack: packReference }),
        z.strictObject({ ...grantedMount, place: dataPlace }),
      ]),
    )
    .max(64),
  outputs: z
    .array(z.strictObject({ path: sandboxPath, artifact: idOf('artifact'), version: whole(1, 1_000_000) }))
    .max(64),
  /** Each value as it is now, in the order of the workload's names. */
  secrets: z
    .array(z.strictObject({ name: variableName, value: secretValue }))
    .max(64)
    .optional(),
  /** The last complete checkpoint of an earlier attempt. */
  checkpoint: packReference.optional(),
  /** The profile that the label names. */
  profile: envelope.optional(),
  /** Of a `federate` job: the contract file, whose bytes are canonical JSON of `contractFile`. */
  contract: z.base64().max(1_398_104).optional(),
});

export type NotifyEvent = (typeof NOTIFY_EVENTS)[number];
export type Workload = z.infer<typeof workload>;
export type GrantPayload = z.infer<typeof grantPayload>;

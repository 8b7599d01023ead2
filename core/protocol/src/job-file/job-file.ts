import type { Brand, DurationMs } from '@ringfence/base';
import type { JobType } from '../fields.ts';
import type { Mount, Output } from './data-paths.ts';
import type { Environment } from './environment.ts';
import type { FederationPart } from './federation-fields.ts';
import type { Audiences } from './identity-fields.ts';
import type { ImageReference } from './image-reference.ts';
import type { NotifyEvent, OnPartition, Retry } from './lifecycle-fields.ts';
import type { JobName, ProfileName, Purpose, PythonVersion, VariableName } from './names.ts';
import type { PrivacyWishes } from './privacy-fields.ts';
import type { ResourceWishes } from './resource-fields.ts';
import type { Workdir } from './sandbox-path.ts';
import type { Service } from './service-fields.ts';
import type { Money, PreferenceWeights } from './term-fields.ts';

/** What the job's root file system holds. */
export type RootFileSystem =
  | { readonly kind: 'site-default' }
  | { readonly kind: 'image'; readonly reference: ImageReference }
  | { readonly kind: 'python'; readonly version: PythonVersion };

/** The fields of a {@link JobFile}. */
export interface JobFileFields {
  readonly name: JobName;
  readonly type: JobType;
  /** Shell script; undefined only with an image, whose own entry point then runs, and in a federation, whose contract names the code. */
  readonly run: string | undefined;
  /** Shell script that prepares a sandbox without data and secrets. */
  readonly setup: string | undefined;
  readonly root: RootFileSystem;
  readonly workdir: Workdir;
  readonly mounts: readonly Mount[];
  readonly outputs: readonly Output[];
  readonly resources: ResourceWishes;
  readonly nodes: 1;
  readonly env: Environment;
  readonly secrets: readonly VariableName[];
  /** Paths of the secrets that are files instead of variables, by name. */
  readonly secretFiles: Readonly<Record<string, string>>;
  /** For whom it gets tokens, by the names of their files. */
  readonly identity: Audiences;
  readonly retry: Retry;
  readonly onPartition: OnPartition | undefined;
  /** 0 to 100. */
  readonly priority: number;
  readonly maxDurationMs: DurationMs | undefined;
  /** How long after the launch an attempt may still start. */
  readonly deadlineMs: DurationMs | undefined;
  /** What the whole job may cost away from home. */
  readonly budget: Money | undefined;
  readonly weights: PreferenceWeights | undefined;
  readonly notify: readonly NotifyEvent[];
  readonly service: Service | undefined;
  /** Of a `federate` job, and of no other. */
  readonly federation: FederationPart | undefined;
  readonly privacy: PrivacyWishes;
  readonly purpose: Purpose | undefined;
  readonly profile: ProfileName | undefined;
}

/**
 * A job file whose every field is right and that does not contradict itself. Whether a site can run its type, image or TEE
 * is not said here; what the label demands is the policy's to add.
 */
export type JobFile = Brand<JobFileFields, 'JobFile'>;

export type { Amount } from './amount.ts';
export type { Mount, Output } from './data-paths.ts';
export type { EgressTarget } from './egress-target.ts';
export { convertJobFile, type Converted } from './dialects/convert.ts';
export type { Dialect } from './dialects/dialect.ts';
export type { LeftOut, LeftOutEffect } from './dialects/draft.ts';
export type { Environment } from './environment.ts';
export type { FederationPart } from './federation-fields.ts';
export type { GpuRequest } from './gpu.ts';
export type { ImageReference } from './image-reference.ts';
export type { JobFile, JobFileFields, RootFileSystem } from './job-file.ts';
export type { NotifyEvent, OnPartition, Retry } from './lifecycle-fields.ts';
export {
  parseArtifactName,
  parseContractName,
  parseDatasetName,
  parseJobName,
  parseVariableName,
  type ArtifactName,
  type ContractName,
  type DatasetName,
  type JobName,
  type ProfileName,
  type Purpose,
  type PythonVersion,
  type VariableName,
} from './names.ts';
export { nearestWord } from './nearest.ts';
export { parseJobFile } from './parse.ts';
export { parseProfileFile, type ProfileFile } from './profile-file.ts';
export { parseHourlyPrice, type HourlyPrice } from './price.ts';
export type { PrivacyWishes } from './privacy-fields.ts';
export { describeProblem, JobFileError, PROBLEM_CODES, type Problem, type ProblemCode } from './problem.ts';
export type { ResourceLimits } from './resolve-resources.ts';
export { requireLabel, resolveJob, type ResolvedJob } from './resolve.ts';
export type { ResourceWishes, Spot } from './resource-fields.ts';
export { RESERVED_SANDBOX_ROOTS, type SandboxPath, type Workdir } from './sandbox-path.ts';
export type { Service } from './service-fields.ts';
export type { Money, PreferenceWeights } from './term-fields.ts';
export { MAX_JOB_FILE_BYTES } from './yaml-tree.ts';
export {
  PACK_LIMITS,
  packList,
  type PackDecision,
  type PackLimits,
  type PackRefusal,
  type PackRefusalCode,
  type WorkdirEntry,
} from './pack-list.ts';
export { workdirIgnore, type IgnoreFile, type Leaves } from './workdir-ignore.ts';
export { writeJobFile, type JobTemplate } from './write.ts';

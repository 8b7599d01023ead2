import { RingfenceError } from '@ringfence/base';

/** Why a sandbox was refused or could not be handled. */
export type SandboxErrorCode =
  | 'unsupported-platform'
  | 'no-free-uids'
  | 'uid-busy'
  | 'mount-missing'
  | 'mount-symlink'
  | 'mount-unreachable'
  | 'cgroup-failed'
  | 'start-failed'
  | 'not-stopped'
  | 'no-inbound'
  | 'inbound-refused'
  | 'bad-record';

/** The one error of the agent's sandbox; messages carry host paths of the agent's own choosing, never payload. */
export class SandboxError extends RingfenceError<SandboxErrorCode> {}

import type { Secret } from '@ringfence/base';

/** Bytes that the first program reads from a descriptor; written in order, the last one opens the gate. */
export interface PlanInput {
  readonly fd: number;
  readonly bytes: Secret;
}

/** What is started, as a level builds it. */
export interface Launch {
  readonly program: string;
  /** Holds no secret: other users of the machine may read it. */
  readonly argv: readonly string[];
  readonly inputs: readonly PlanInput[];
  /** Where bubblewrap reports its child; null at level process. */
  readonly statusFd: number | null;
  /** `NAME=value` entries, each ended by NUL, that the first program starts with. */
  readonly environment: Secret;
  /** Host folder that the first program starts in; null for the job's own scratch folder. */
  readonly workingFolder: string | null;
  /** Variables that name the scratch folder on the host; empty when the level has a /tmp of its own. */
  readonly scratchVariables: readonly string[];
}

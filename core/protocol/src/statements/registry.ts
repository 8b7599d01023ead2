import type { z } from 'zod';
import { admissionStatement, machineStatement } from './admission.ts';
import { evidenceRevocation, evidenceStatement } from './evidence.ts';
import { fenceStatement } from './fence.ts';
import {
  commitRecord,
  controlPlaneKeys,
  grantStatement,
  jobStatement,
  labelStatement,
  leaseStatement,
  receiptStatement,
  stoppedStatement,
} from './job.ts';
import { keyringHead, keyringStatement } from './keyring.ts';
import { policyStatement, profileStatement } from './rules.ts';
import { burstDecisionStatement, deletionStatement, poolStatement } from './pool.ts';

/** Every signed statement by name; its DSSE payload type is `application/vnd.ringfence.NAME.v1+json`, that of `evidence` in-toto's. */
export const STATEMENTS = {
  keyring: keyringStatement,
  'keyring-head': keyringHead,
  label: labelStatement,
  job: jobStatement,
  receipt: receiptStatement,
  lease: leaseStatement,
  grant: grantStatement,
  stopped: stoppedStatement,
  fence: fenceStatement,
  commit: commitRecord,
  'control-plane-keys': controlPlaneKeys,
  admission: admissionStatement,
  machine: machineStatement,
  evidence: evidenceStatement,
  'evidence-revocation': evidenceRevocation,
  profile: profileStatement,
  policy: policyStatement,
  pool: poolStatement,
  'burst-decision': burstDecisionStatement,
  deletion: deletionStatement,
} as const;

/** The name of a statement. */
export type StatementName = keyof typeof STATEMENTS;
/** The body of the statement called `Name`. */
export type StatementBody<Name extends StatementName> = z.infer<(typeof STATEMENTS)[Name]>;

import type { z } from 'zod';
import { admissionStatement, machineStatement } from './admission.ts';
import { contractStatement, contractWithdrawal } from './contract.ts';
import { erasureStatement, exportManifestStatement, exportStatement, memberErasureStatement } from './data-life.ts';
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
import { releaseEndStatement, releaseReceipt, releaseRuleStatement, releaseStatement } from './release.ts';
import { privacyBudgetStatement } from './privacy-budget.ts';
import { policyStatement, profileStatement } from './rules.ts';
import { tombstoneStatement } from './tombstone.ts';
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
  tombstone: tombstoneStatement,
  release: releaseStatement,
  'release-rule': releaseRuleStatement,
  'release-end': releaseEndStatement,
  'release-receipt': releaseReceipt,
  erasure: erasureStatement,
  'member-erasure': memberErasureStatement,
  export: exportStatement,
  'export-manifest': exportManifestStatement,
  'privacy-budget': privacyBudgetStatement,
  contract: contractStatement,
  'contract-withdrawal': contractWithdrawal,
} as const;

/** The name of a statement. */
export type StatementName = keyof typeof STATEMENTS;
/** The body of the statement called `Name`. */
export type StatementBody<Name extends StatementName> = z.infer<(typeof STATEMENTS)[Name]>;

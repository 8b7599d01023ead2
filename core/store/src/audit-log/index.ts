export type { AuditColumn } from './audit-column.ts';
export type { AuditLogs } from './audit-logs.ts';
export { AUDIT_LOG_TABLES } from './tables.ts';
export type { AuditStore, AuditTx } from './audit-store.ts';
export { logSigner, logVerifierKey, type LogIdentity } from './log-identity.ts';
export { LogSequencer, type Advance, type AppendStep, type SequencerParts, type SignedHead } from './sequencer.ts';
export { Sequencing, type SequencingParts } from './sequencing.ts';
export { ServedLog } from './served-log.ts';
export { forgetSubject, openSealedSubject, sealSubjects, type SubjectSeal, type ToldOfSubject } from './subjects.ts';

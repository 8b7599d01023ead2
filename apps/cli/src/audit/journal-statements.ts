import { journalLines, journalParts } from '@ringfence/client/control-link';
import { statementDigest } from '@ringfence/crypto/sign';
import type { JournalRecord } from '@ringfence/ledger';
import type { WitnessedStatement } from '@ringfence/ledger/tlog';
import { envelope, sha256 } from '@ringfence/protocol';
import { MESSAGES } from '@ringfence/protocol/messages';
import { z } from 'zod';
import { journalFolders } from '../wire/journal-folders.ts';

/** Statements that journals hold: of the control plane, which its log must have, and of the custodian, which its own must have. */
export interface JournaledStatements {
  readonly ofControlPlane: WitnessedStatement[];
  readonly ofCustodian: WitnessedStatement[];
}

const leaseFrame = z.looseObject({ lease: envelope, receipt: envelope });
const grantedFact = z.looseObject({ grant: sha256 });

/** All leases, receipts and grants in the journals below these state folders of agents. Throws CliError `bad-file`, LedgerError `broken-journal`. */
export function journaledStatements(states: readonly string[]): JournaledStatements {
  const found: JournaledStatements = { ofControlPlane: [], ofCustodian: [] };
  for (const { folder } of states.flatMap((state) => journalFolders(state)))
    for (const record of journalLines(journalParts(folder))) take(record, found);
  return found;
}

function take(record: JournalRecord, { ofControlPlane, ofCustodian }: JournaledStatements): void {
  if (record.kind === 'frame' && record.dir === 'in' && record.number === MESSAGES.lease.number) {
    const body = leaseFrame.safeParse(record.body);
    if (body.success)
      for (const statement of [body.data.lease, body.data.receipt])
        ofControlPlane.push({ digest: statementDigest(statement), at: record.t });
  }
  if (record.kind === 'fact' && record.name === 'granted') {
    const body = grantedFact.safeParse(record.body);
    if (body.success) ofCustodian.push({ digest: body.data.grant, at: record.t });
  }
}

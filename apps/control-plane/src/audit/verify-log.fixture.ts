import { exportLog, type LogSource } from '@ringfence/client/api';
import { trustInLog, verifyLines, type LogVerdict, type TreeHead } from '@ringfence/ledger/tlog';

/** Exports the organisation's log as any member can, and verifies the export with the log's key alone; `held` are heads seen before. */
export async function verifyLog(source: LogSource, held: readonly TreeHead[] = []): Promise<LogVerdict> {
  const head = await source.audit();
  const trust = trustInLog(head.key);
  if (trust === undefined) throw new Error('the key of the log cannot be read');
  return verifyLines(exportLog(source, head), { trust, held });
}

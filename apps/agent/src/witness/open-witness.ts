import { join } from 'node:path';
import type { Clock, Log } from '@ringfence/base';
import type { Fact, LinkJournal } from '@ringfence/client/control-link';
import type { CustodianClient } from '@ringfence/client/custodian';
import type { SigningKey } from '@ringfence/crypto/sign';
import type { JoinedLink } from '../link/joined-link.ts';
import type { KeyringCopy } from '../link/keyring-copy.ts';
import type { AgentMetrics } from '../metrics.ts';
import { HeldLogs } from './held-logs.ts';
import { LogWitness } from './log-witness.ts';

/** The witness of a link's logs; what it holds is kept in `folder`, the link's own. */
export function openWitness(
  { link, metrics, clock, log }: { link: JoinedLink; metrics: AgentMetrics; clock: Clock; log: Log },
  of: { folder: string; key: SigningKey; custodian: CustodianClient; journal: LinkJournal; keyring: KeyringCopy },
): LogWitness {
  const { folder, key, custodian, journal, keyring } = of;
  const held = new HeldLogs(join(folder, 'held-logs.json'));
  const epoch = { known: () => keyring.seen?.epoch, ask: () => keyring.statedEpoch(custodian) };
  const record = (fact: Fact): Promise<void> => journal.fact(fact);
  return new LogWitness({ link, held, key, custodian, epoch, record, metrics, clock, log });
}

import type { RoundReport } from '@ringfence/protocol/payload';
import type { FederationTerms } from '../round/federation-terms.ts';
import type { FederationWord } from '../transport/federation-message.ts';
import type { ClientRoundEnd } from './client-round.ts';

/**
 * What the custodian is told of a round: whether there is a sum and who is in it by this client's own part alone, and what the aggregator says came out. A round whose
 * sum this client helped to open counts as summed, whatever the aggregator says of it, or none of a contract's rounds would ever be the last.
 */
export function roundReportOf(
  { contract }: FederationTerms,
  { outcome, figures, reason }: Pick<Extract<FederationWord, { kind: 'over' }>, 'outcome' | 'figures' | 'reason'>,
  { end, isUnmasked }: { readonly end: ClientRoundEnd; readonly isUnmasked: boolean },
): RoundReport {
  const included = new Set(end.outcome === 'summed' ? end.of.included : []);
  const agents = contract.clients.map(({ agent }, member) => ({ agent, in: included.has(member) }));
  const why = end.outcome === 'aborted' ? end.code : outcome === 'aborted' ? (reason ?? 'aborted') : undefined;
  return {
    outcome: end.outcome === 'summed' || isUnmasked ? 'summed' : 'aborted',
    survivors: agents.flatMap((client) => (client.in ? [client.agent] : [])),
    missing: agents.flatMap((client) => (client.in ? [] : [client.agent])),
    ...(figures === undefined ? {} : { examples: figures.examples, metrics: figures.metrics }),
    ...(why === undefined ? {} : { why }),
  };
}

import type { EpochMs } from '@ringfence/base';
import type { Contract } from '@ringfence/protocol/statements';
import type { Keyring } from '../chain/keyring.ts';
import { faultsOf, type ContractFault } from './contract-fault.ts';

/** What is wrong with the agents that a contract names of the organisation of `keyring`, at `now`. */
export function agentFaults({ clients, aggregator }: Contract, keyring: Keyring, now: EpochMs): ContractFault[] {
  const { org } = keyring;
  const named = [...clients, aggregator].filter((agent) => agent.org === org);
  return named.flatMap(({ agent, sign, tls, site }) => {
    const entry = keyring.agent(agent);
    if (entry === undefined) return faultsOf([['agent-not-member', false, org]]);
    const { admitted } = entry;
    return faultsOf([
      ['agent-keys', entry.sign === sign && entry.tls === tls, org],
      ['agent-site', entry.site === site, org],
      ['agent-admission-ended', admitted === undefined || (admitted.from <= now && now < admitted.until), org],
    ]);
  });
}

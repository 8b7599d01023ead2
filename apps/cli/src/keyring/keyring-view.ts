import type { CustodianId, EpochMs } from '@ringfence/base';
import { fingerprintWords } from '@ringfence/crypto/sign';
import type { AgentEntry, Keyring } from '@ringfence/keyring';
import { deviceViews } from './device-rows.ts';
import { papersOf } from './papers.ts';

/** What the custodian calls a server and its site; the keyring knows neither. */
export interface NamedAgent {
  readonly agent: string;
  readonly name: string;
  readonly site: string;
}

/** Everybody whom the keyring names now, as `keyring ls --json` says it. */
export function keyringView(keyring: Keyring, named: readonly NamedAgent[], now: EpochMs) {
  const { org, root, head, quorum } = keyring;
  return {
    org,
    statements: head.seq,
    root: { key: root, fingerprint: fingerprintWords(root) },
    quorum,
    devices: deviceViews(keyring),
    custodians: keyring.custodians().map(({ id: custodian, sign }) => ({
      custodian,
      fingerprint: fingerprintWords(sign),
      maySignUntil: signsUntil(keyring, now, custodian),
    })),
    agents: keyring.agents().map((entry) => agentView(entry, named)),
    admitters: keyring.admitters().map(({ key, tier }) => ({ key, tier, fingerprint: fingerprintWords(key) })),
    issuers: keyring.issuers().map(({ key, standards }) => ({ key, standards, fingerprint: fingerprintWords(key) })),
  };
}

/** What {@link keyringView} says. */
export type KeyringView = ReturnType<typeof keyringView>;

function signsUntil(keyring: Keyring, now: EpochMs, custodian: CustodianId): EpochMs | null {
  const ends = keyring.delegations('head', now, custodian).map(({ until }) => until);
  return ends.toSorted((a, b) => a - b).at(-1) ?? null;
}

function agentView(entry: AgentEntry, named: readonly NamedAgent[]) {
  const { id: agent, site, tier, jurisdictions } = entry;
  const known = named.find((other) => other.agent === agent);
  return {
    agent,
    name: known?.name ?? null,
    site,
    siteName: known?.site ?? null,
    tier,
    jurisdictions,
    papers: papersOf(entry) ?? null,
  };
}

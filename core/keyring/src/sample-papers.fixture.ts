import type { AgentId, EpochMs, ProviderId, SiteId } from '@ringfence/base';
import type { Envelope, SigningKey } from '@ringfence/crypto/sign';
import type { KeyringChange, StatementBody } from '@ringfence/protocol/statements';
import { signStatement } from './statement.ts';

type Keys = Pick<Extract<KeyringChange, { kind: 'add-agent' }>, 'sign' | 'tls' | 'seal'>;

/** Who signs the papers of a provider's machines, and for how long. */
export interface PaperSigners {
  readonly provider: ProviderId;
  readonly tier: 'secure-cloud' | 'community-cloud';
  readonly authority: SigningKey;
  readonly admitter: SigningKey;
  readonly from: EpochMs;
  readonly until: EpochMs;
}

/** The admission of a provider in the USA, with some members changed. */
export function sampleAdmission(by: PaperSigners, change: Partial<StatementBody<'admission'>> = {}): Envelope {
  const { provider, tier, authority, admitter, from, until } = by;
  const body = { v: 1, provider, tier, authority: authority.publicKey, from, until } as const;
  return signStatement('admission', { ...body, jurisdictions: ['US'], ...change }, [admitter]);
}

/** An authority's word for a machine in Germany, with some members changed. */
export function sampleMachine(
  { provider, tier, authority, from, until }: PaperSigners,
  { agent, site, sign, tls, seal }: Keys & { readonly agent: AgentId; readonly site: SiteId },
  change: Partial<StatementBody<'machine'>> = {},
): Envelope {
  const body = { v: 1, provider, tier, agent, site, sign, tls, seal, from, until } as const;
  return signStatement('machine', { ...body, jurisdictions: ['DE'], ...change }, [authority]);
}

/** Both papers of a machine. */
export function samplePapers(by: PaperSigners, machine: Parameters<typeof sampleMachine>[1]) {
  return { admission: sampleAdmission(by), machine: sampleMachine(by, machine) };
}

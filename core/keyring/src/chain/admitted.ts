import { epochMs, type EpochMs, type ProviderId, type SiteId } from '@ringfence/base';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { KeyringError } from '../keyring-error.ts';
import { readStatement, verifyStatement, type Verified } from '../statement.ts';
import type { AgentAdmission, AgentEntry } from './entries.ts';
import { CLOCK_SKEW_MS } from './keyring.ts';
import type { KeyringState, Membership, ProviderAuthority } from './state.ts';

type AddAgent = Extract<KeyringChange, { kind: 'add-agent' }>;
type Renewal = Extract<KeyringChange, { kind: 'renew-admission' }>;

/** The least that a renewal adds: a chain of them cannot grow faster than that. */
const LEAST_GAIN_MS = 3_600_000;

interface Papers {
  readonly admission: Verified<'admission'>;
  readonly machine: Verified<'machine'>;
  readonly admitter: SigningPublicKey;
}

/**
 * Checks what admits the machine of an `add-agent` that is dated `at`: nothing at home; away from home the word of an admitter of its tier, and
 * of the authority that this one named, for exactly these keys. Throws KeyringError `not-admitted`, `duplicate`. Returns the authority.
 */
export function inspectAdmission(state: KeyringState, change: AddAgent, at: EpochMs): ProviderAuthority | undefined {
  if (change.tier === 'private') {
    if (change.admitted !== undefined) throw refused('a machine at home is admitted by nobody else');
    return undefined;
  }
  const papers = readPapers(state.membership, change);
  checkAgreement(papers, change);
  const { from, until } = spanOf(papers);
  if (at + CLOCK_SKEW_MS < from || at >= until) throw refused('what admits a machine has not begun, or has ended');
  const { authority, provider, tier } = papers.admission.body;
  const speaksFor = state.authorities.get(authority);
  const known = speaksFor?.provider === provider && speaksFor.tier === tier;
  if (!known && state.burntKeys.has(authority))
    throw new KeyringError('duplicate', 'an authority key already speaks for somebody or something else', {
      next: 'the provider makes an authority for each tier, and is admitted with that',
    });
  return { key: authority, provider, tier };
}

/**
 * Checks what renews the admission of a machine away from home, dated `at`: all that {@link inspectAdmission} checks, about the machine as the
 * keyring has it, of the provider that it has, and an end that is an hour later at the least. Throws as that does. Returns the authority.
 */
export function inspectRenewal(state: KeyringState, change: Renewal, at: EpochMs): ProviderAuthority | undefined {
  const agent = state.membership.agents.get(change.agent);
  if (agent?.admitted === undefined) throw refused('only the admission of a machine away from home is renewed');
  const authority = inspectAdmission(state, addingAgain(agent, change), at);
  if (authority?.provider !== agent.admitted.provider)
    throw refused('a machine’s admission is renewed by another provider');
  const { until } = renewedAdmission(state.membership, change, agent);
  if (until < agent.admitted.until + LEAST_GAIN_MS)
    throw refused('a renewal ends no later than what it renews, or not by an hour');
  return authority;
}

/** What a machine is admitted by after a renewal that was found valid. */
export function renewedAdmission(to: Membership, change: Renewal, agent: AgentEntry): AgentAdmission {
  const admission = admissionOf(to, addingAgain(agent, change));
  if (admission === undefined) throw new TypeError('only a machine away from home is admitted');
  return admission;
}

/** The change that would add the machine as it is, with its new papers. */
function addingAgain(agent: AgentEntry, { admitted }: Renewal): AddAgent {
  const { id, site, tier, sign, tls, seal, allowProcess } = agent;
  const jurisdictions = [...agent.jurisdictions];
  return { kind: 'add-agent', agent: id, site, tier, sign, tls, seal, allowProcess, jurisdictions, admitted };
}

/**
 * A site is one provider's, or the organisation's own (`provider` undefined), for ever: what is bound to a site by its data would else go
 * wherever a provider says that its machine stands. Throws KeyringError `not-admitted`.
 */
export function checkSite(
  { sites }: Pick<KeyringState, 'sites'>,
  site: SiteId,
  provider: ProviderId | undefined,
): void {
  if (sites.has(site) && sites.get(site) !== provider)
    throw refused('a machine stands at a site that is somebody else’s');
}

/** What a machine was admitted by and for how long, of an `add-agent` that was found valid; undefined at home. */
export function admissionOf(to: Membership, change: AddAgent): AgentAdmission | undefined {
  if (change.tier === 'private') return undefined;
  const papers = readPapers(to, change);
  const { provider, authority } = papers.admission.body;
  return { provider, authority, admitter: papers.admitter, ...spanOf(papers) };
}

function readPapers({ admitters }: Membership, { admitted, tier }: AddAgent): Papers {
  if (admitted === undefined) throw refused('a machine away from home needs an admission and a machine statement');
  try {
    const keys = [...admitters].flatMap(([key, of]) => (of === tier ? [key] : []));
    const { admission, admitter } = admittedBy(keys, admitted.admission);
    const machine = verifyStatement(readStatement('machine', admitted.machine), [admission.body.authority]);
    return { admission, machine, admitter };
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    throw refused('no admitter of its tier admitted a machine, or not its authority vouched for it', cause);
  }
}

function admittedBy(
  keys: readonly SigningPublicKey[],
  envelope: NonNullable<AddAgent['admitted']>['admission'],
): Pick<Papers, 'admission' | 'admitter'> {
  const read = readStatement('admission', envelope);
  const admission = verifyStatement(read, keys);
  const admitter = keys.find((key) => isSignedBy(read, key));
  if (admitter === undefined) throw new TypeError('one of the keys signed it');
  return { admission, admitter };
}

function isSignedBy(read: ReturnType<typeof readStatement<'admission'>>, key: SigningPublicKey): boolean {
  try {
    verifyStatement(read, [key]);
    return true;
  } catch {
    return false;
  }
}

/** Both name one provider and tier; the machine's keys, site and tier are those of the change, its places those of both. */
function checkAgreement(
  { admission: { body: admission }, machine: { body: machine } }: Papers,
  change: AddAgent,
): void {
  const places = new Set([...admission.jurisdictions, ...machine.jurisdictions]);
  const said = change.jurisdictions ?? [];
  const agrees =
    admission.tier === change.tier &&
    machine.tier === change.tier &&
    machine.provider === admission.provider &&
    machine.agent === change.agent &&
    machine.site === change.site &&
    machine.sign === change.sign &&
    machine.tls === change.tls &&
    machine.seal === change.seal &&
    said.length === places.size &&
    said.every((place) => places.has(place)) &&
    new Set(said).size === said.length;
  if (!agrees) throw refused('a machine is added as another than it was admitted');
}

function spanOf({ admission: { body: admission }, machine: { body: machine } }: Papers): {
  from: EpochMs;
  until: EpochMs;
} {
  return {
    from: epochMs(Math.max(admission.from, machine.from)),
    until: epochMs(Math.min(admission.until, machine.until)),
  };
}

function refused(message: string, cause?: unknown): KeyringError {
  return new KeyringError('not-admitted', message, {
    cause,
    next: 'see docs/protocol/marketplace.md for what a machine away from home needs',
  });
}

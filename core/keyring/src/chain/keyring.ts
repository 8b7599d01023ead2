import type { AgentId, CustodianId, DeviceId, EpochMs, OrgId, ProviderId, SiteId } from '@ringfence/base';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import type { Tier } from '@ringfence/protocol';
import type {
  AgentEntry,
  CustodianEntry,
  DelegatedRight,
  Delegation,
  DeviceEntry,
  RecoveryRule,
  RoleBinding,
  SubjectId,
  TlsOwner,
} from './entries.ts';
import type { KeyringPoint, KeyringState } from './state.ts';

/** How far two honest clocks may be apart: a delegation or statement of the near future counts as of now. */
export const CLOCK_SKEW_MS = 120_000;

let read: (keyring: Keyring) => KeyringState;

/** Who belongs to an organisation and what each key may sign; immutable, made by {@link foldKeyring} only. */
export class Keyring {
  readonly #state: KeyringState;

  /** Takes ownership of `state`; not for use outside this folder. */
  constructor(state: KeyringState) {
    this.#state = state;
  }

  static {
    read = (keyring) => keyring.#state;
  }

  get org(): OrgId {
    return this.#state.org;
  }

  /** The organisation's root as it is now. */
  get root(): SigningPublicKey {
    return this.#state.membership.root;
  }

  /** Whether `key` is its root or was it once: a pin survives rotations. */
  hadRoot(key: SigningPublicKey): boolean {
    return this.#state.membership.roots.includes(key);
  }

  get recovery(): RecoveryRule {
    return this.#state.membership.recovery;
  }

  /** The newest statement. */
  get head(): KeyringPoint {
    return this.#state.head;
  }

  /** The custodian that was added last and is still one. */
  get custodian(): CustodianEntry | undefined {
    return [...this.#state.membership.custodians.values()].at(-1);
  }

  /** A custodian that was not removed. */
  custodianOf(id: CustodianId): CustodianEntry | undefined {
    return this.#state.membership.custodians.get(id);
  }

  /** All custodians that were not removed, the newest last. */
  custodians(): readonly CustodianEntry[] {
    return [...this.#state.membership.custodians.values()];
  }

  /** A device that was not removed. */
  device(id: DeviceId): DeviceEntry | undefined {
    return this.#state.membership.devices.get(id);
  }

  /** All devices that were not removed. */
  devices(): readonly DeviceEntry[] {
    return [...this.#state.membership.devices.values()];
  }

  /** The key that signs a device's jobs and requests. */
  deviceKey(id: DeviceId): SigningPublicKey | undefined {
    return this.device(id)?.sign;
  }

  rolesOf(id: DeviceId): readonly RoleBinding[] {
    return this.device(id)?.roles ?? [];
  }

  /** The roles of a device as words that can be compared and read: `ROLE`, or `ROLE in PROJECT`. */
  roleWords(id: DeviceId): readonly string[] {
    return this.rolesOf(id).map(({ role, project }) => (project === undefined ? role : `${role} in ${project}`));
  }

  isOfficer(id: DeviceId): boolean {
    return this.#state.membership.officers.has(id);
  }

  /** How many officers a rule that asks two people needs: min(2, officers). */
  get quorum(): number {
    return Math.min(2, this.#state.membership.officers.size);
  }

  /** An agent that was not removed. */
  agent(id: AgentId): AgentEntry | undefined {
    return this.#state.membership.agents.get(id);
  }

  /** All agents that were not removed. */
  agents(): readonly AgentEntry[] {
    return [...this.#state.membership.agents.values()];
  }

  /** Whether a machine of `provider` may stand at `site`, of none at home: nobody's machine stood there yet, or only such. */
  isSiteOf(site: SiteId, provider: ProviderId | undefined): boolean {
    const { sites } = this.#state;
    return !sites.has(site) || sites.get(site) === provider;
  }

  /** Whose identity a TLS key is, while its owner is a member. */
  byTlsKey(key: string): TlsOwner | undefined {
    return this.#state.membership.tlsOwners.get(key);
  }

  /** Whether this id was once a member and was removed. */
  isRemoved(id: SubjectId): boolean {
    return this.#state.membership.removed.has(id);
  }

  /** The delegations under which `may` could be signed at `at`, of `custodian` or of any. */
  delegations(may: DelegatedRight, at: EpochMs, custodian?: CustodianId): readonly Delegation[] {
    return this.#state.membership.delegations.filter(
      (given) =>
        given.may.includes(may) &&
        given.from - CLOCK_SKEW_MS <= at &&
        at < given.until &&
        (custodian === undefined || given.custodian === custodian),
    );
  }

  /** The keys of {@link Keyring.delegations}. */
  delegatedKeys(may: DelegatedRight, at: EpochMs, custodian?: CustodianId): readonly SigningPublicKey[] {
    return this.delegations(may, at, custodian).map(({ key }) => key);
  }

  /** The key that may sign `may` at `at`: the one that was delegated to last. */
  delegatedKey(may: DelegatedRight, at: EpochMs): SigningPublicKey | undefined {
    return this.delegatedKeys(may, at).at(-1);
  }

  /** The root of a peer organisation. */
  peerRoot(org: OrgId): SigningPublicKey | undefined {
    return this.#state.membership.peers.get(org);
  }

  /** All peer organisations, in the order in which they became that. */
  peers(): readonly { readonly org: OrgId; readonly root: SigningPublicKey }[] {
    return [...this.#state.membership.peers].map(([org, root]) => ({ org, root }));
  }

  /** Every key that may admit providers, with its tier. */
  admitters(): readonly { readonly key: SigningPublicKey; readonly tier: Tier }[] {
    return [...this.#state.membership.admitters].map(([key, tier]) => ({ key, tier }));
  }

  /** The tier for which a key may admit providers. */
  admitterTier(key: SigningPublicKey): Tier | undefined {
    return this.#state.membership.admitters.get(key);
  }

  /** The keys that may issue evidence of `standard`. */
  evidenceIssuers(standard: string): readonly SigningPublicKey[] {
    return [...this.#state.membership.evidenceIssuers].flatMap(([key, of]) => (of.includes(standard) ? [key] : []));
  }

  /** Every key that may issue evidence, with its standards. */
  issuers(): readonly { readonly key: SigningPublicKey; readonly standards: readonly string[] }[] {
    return [...this.#state.membership.evidenceIssuers].map(([key, standards]) => ({ key, standards }));
  }

  /** The standards of which a key may issue evidence; none for a stranger. */
  evidenceStandards(key: SigningPublicKey): readonly string[] {
    return this.#state.membership.evidenceIssuers.get(key) ?? [];
  }
}

/** The state behind a keyring, for {@link extendKeyring}; nobody may change it. */
export function stateOf(keyring: Keyring): KeyringState {
  return read(keyring);
}

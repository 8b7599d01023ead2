import { existsSync } from 'node:fs';
import { errorFields } from '@ringfence/base';
import { announceRolesOnce } from '../access/roles-notice.ts';
import type { CustodianContext } from '../context.ts';
import { keepHeadFresh, refreshHead } from '../keyring/signed-head.ts';
import { claimCodeFile, openClaimCode, removeClaimCode } from './claim-code.ts';
import { Claiming } from './claim.ts';
import { announceUntold } from '../marketplace/admission-notice.ts';
import { keepExpiring } from '../retention/expire.ts';
import { sweepFiles } from '../pruning/sweep-files.ts';
import { finishShredding } from '../shredding/shred-keys.ts';
import { useAccess } from '../rules/organisation-policy.ts';
import { watchProposals } from '../proposals/proposal-watch.ts';
import { loadOrganisation } from './load-organisation.ts';
import { registerAtControlPlane } from './register.ts';

/** From unclaimed to owned, and what runs from then on. */
export class OwnerLife {
  readonly #context: CustodianContext;
  #claiming: Claiming | undefined;
  #endHeads = (): void => {};
  #endProposals = async (): Promise<void> => {};
  #endExpiring = async (): Promise<void> => {};

  constructor(context: CustodianContext) {
    this.#context = context;
  }

  /** Open until the owner's first request after the claim shows that the claim's answer arrived. */
  get claiming(): Claiming | undefined {
    return this.#claiming;
  }

  /** Takes up the organisation of the database, or waits for one. */
  async begin(): Promise<void> {
    const context = this.#context;
    const loaded = await loadOrganisation(context.store);
    if (loaded === undefined || !loaded.registered || existsSync(claimCodeFile(context.state))) this.#openClaim();
    if (loaded === undefined) return;
    if (!loaded.registered) await this.#finishClaim();
    else await this.#take();
  }

  async end(): Promise<void> {
    this.#endHeads();
    await this.#endProposals();
    await this.#endExpiring();
    await this.#context.shredding.stop();
    await this.#context.rotation.stop();
    await this.#context.notices.stop();
    await this.#context.link.stop();
    await this.#context.logs.sequencing.close();
  }

  /** An answer went out; `route` is the path of its route. */
  onAnswered(route: string, status: number): void {
    if (this.#claiming === undefined || this.#context.owner.claimed === undefined) return;
    if (status !== 200 || route.startsWith('/v1/claim') || route === '/v1/join') return;
    this.#claiming = undefined;
    removeClaimCode(this.#context.state);
  }

  #openClaim(): void {
    const { state, keys, rng } = this.#context;
    const code = openClaimCode(state, { id: keys.id, route: this.#context.route(), rng });
    this.#claiming = new Claiming(this.#context, code, () => this.#take());
  }

  /** A crash came between the claim and its registration: goes on where it was; a control plane that is away is asked again by the claimant. */
  async #finishClaim(): Promise<void> {
    try {
      await registerAtControlPlane(this.#context);
      await this.#take();
    } catch (error) {
      this.#context.log.warn('claim.unfinished', errorFields(error));
    }
  }

  async #take(): Promise<void> {
    const context = this.#context;
    const loaded = await loadOrganisation(context.store);
    if (loaded === undefined || context.owner.claimed !== undefined) return;
    await context.openCodes.load(context.store, loaded.organisation.org);
    await context.access.load(context.store, loaded.organisation.org);
    await context.certificates.load(loaded.organisation.org);
    await useAccess(context, loaded.organisation);
    context.owner.claimed = loaded.organisation;
    await refreshHead(context, loaded.organisation);
    this.#endHeads = keepHeadFresh(context, loaded.organisation);
    await announceRolesOnce(context, loaded.organisation.org, loaded.organisation.keyring);
    await announceUntold(context, loaded.organisation.org, loaded.organisation.keyring);
    context.recheckLinks();
    context.shredding.start(loaded.organisation);
    context.rotation.start(loaded.organisation);
    // What a crash left of a shredding.
    void finishShredding(context, loaded.organisation).catch((error: unknown) =>
      context.log.warn('shredding.unfinished', errorFields(error)),
    );
    context.link.start(loaded.organisation);
    context.notices.start(loaded.organisation);
    this.#endProposals = watchProposals(context, loaded.organisation);
    context.logs.sequencing.start();
    // What a crash left of a pruning.
    void sweepFiles(context, loaded.organisation).catch((error: unknown) =>
      context.log.warn('prune.unfinished', errorFields(error)),
    );
    this.#endExpiring = keepExpiring(context, loaded.organisation);
    context.endpoints.start(context, loaded.organisation);
    context.log.info('owner.taken', { org: loaded.organisation.org });
  }
}

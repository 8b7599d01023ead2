import type { AgentId, JobId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { PackReference } from '@ringfence/protocol/payload';
import { findVersionOf } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { FENCED } from '../jobs/attempt-end.ts';
import { readCheckpoint } from '../jobs/checkpoint.ts';
import { openWorkload } from '../jobs/open-workload.ts';
import type { Tx } from '../store/open-store.ts';
import { FreshSets } from './fresh-sets.ts';
import { objectsOfPack } from './pack-objects.ts';

/** Packs whose objects are remembered, and how many objects in all; some 100 bytes each. */
const MOST_PACKS = 64;
const MOST_OBJECTS = 500_000;

/**
 * What agents may read: the code, the mounts and the checkpoint of attempts that were granted to them and are the current ones of jobs that
 * are not over. A digest that an agent learned otherwise opens nothing.
 */
export class GrantedObjects {
  readonly #context: CustodianContext;
  /** By agent. */
  readonly #readable: FreshSets<AgentId, Digest>;
  /** By the digest of a manifest, the one used last at the end. */
  readonly #packs = new Map<Digest, ReadonlySet<Digest>>();

  constructor(context: CustodianContext) {
    this.#context = context;
    this.#readable = new FreshSets(context.clock);
  }

  /** Whether `agent` may read the object. */
  async mayRead(claimed: ClaimedOrganisation, agent: AgentId, digest: Digest): Promise<boolean> {
    return this.#readable.has(agent, digest, async () => {
      const { store } = this.#context;
      const packs = await store.withOrg(claimed.org, (tx) => this.#packsOf(tx, claimed, agent));
      return Promise.all(packs.map((pack) => this.#objectsOf(claimed, pack)));
    });
  }

  async #packsOf(tx: Tx, claimed: ClaimedOrganisation, agent: AgentId): Promise<readonly PackReference[]> {
    const attempts = await tx
      .selectFrom('attempt')
      .innerJoin('job', (join) =>
        join.onRef('job.job', '=', 'attempt.job').onRef('job.attempt', '=', 'attempt.attempt'),
      )
      .innerJoin('agent', 'agent.agent', 'attempt.agent')
      .select(['attempt.job', 'attempt.mounts', 'job.workload'])
      .where('attempt.agent', '=', agent)
      .where('attempt.epoch', '=', claimed.epoch)
      .where('attempt.stopped', 'is', null)
      .where('attempt.ends_by', 'is distinct from', FENCED)
      .where('job.closed', 'is', null)
      .where('job.commit_record', 'is', null)
      .where('agent.locked', 'is', null)
      .execute();
    const packs: PackReference[] = [];
    for (const { job, mounts, workload } of attempts) {
      const code = await this.#codeOf(claimed, job, workload);
      if (code !== undefined) packs.push(code);
      for (const mount of mounts) {
        const found = await findVersionOf(this.#context, tx, claimed, mount);
        if (found?.pack !== undefined) packs.push(found.pack);
      }
      const checkpoint = await readCheckpoint(this.#context, tx, claimed, job);
      if (checkpoint !== undefined) packs.push(checkpoint);
    }
    return packs;
  }

  async #codeOf(
    { org }: ClaimedOrganisation,
    job: JobId,
    sealed: Uint8Array | null,
  ): Promise<PackReference | undefined> {
    return (await openWorkload(this.#context, org, job, sealed))?.code;
  }

  async #objectsOf(claimed: ClaimedOrganisation, pack: PackReference): Promise<ReadonlySet<Digest>> {
    const known = this.#packs.get(pack.manifest);
    const objects = known ?? new Set(await objectsOfPack(this.#context, claimed, pack));
    // Its manifest is not here, or does not open: that may change.
    if (objects.size === 0) return objects;
    this.#packs.delete(pack.manifest);
    this.#packs.set(pack.manifest, objects);
    let count = this.#packs.values().reduce((sum, { size }) => sum + size, 0);
    for (const [manifest, { size }] of this.#packs) {
      // The one used now stays however large it is.
      if (manifest === pack.manifest || (this.#packs.size <= MOST_PACKS && count <= MOST_OBJECTS)) break;
      this.#packs.delete(manifest);
      count -= size;
    }
    return objects;
  }
}

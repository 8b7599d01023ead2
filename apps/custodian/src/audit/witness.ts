import type { Clock } from '@ringfence/base';
import type { Fact } from '@ringfence/client/control-link';
import { deriveNoteKey, type NotePublicKey } from '@ringfence/crypto/note';
import {
  formatVerifierKey,
  judgeOffer,
  originOf,
  parseVerifierKey,
  verifierKey,
  type HeldCheckpoint,
  type NoteSigner,
  type OfferVerdict,
} from '@ringfence/ledger/tlog';
import type { MessageBody } from '@ringfence/protocol/messages';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianKeys } from '../identity/custodian-keys.ts';
import type { Tx } from '../store/open-store.ts';
import { keepAccusation, type AccusationParts } from './accusations.ts';

interface Parts extends AccusationParts {
  readonly keys: Pick<CustodianKeys, 'id' | 'sign'>;
  readonly clock: Clock;
}

/** Watches the control plane's log: each checkpoint has to continue the one before, is stored, and only then cosigned. */
export class Witness {
  readonly #parts: Parts;
  readonly #signer: NoteSigner;
  #accused = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#signer = { name: parts.keys.id, key: deriveNoteKey(parts.keys.sign, 'witness') };
  }

  /** How often the control plane's log was found wrong since the start. */
  get accused(): number {
    return this.#accused;
  }

  /** Takes what the control plane shows of its log over its own link; the fact is what the journal is to keep of a log that is wrong. */
  async take(
    claimed: ClaimedOrganisation | undefined,
    offer: MessageBody<'log-checkpoint'>,
  ): Promise<Fact | undefined> {
    if (claimed === undefined) return undefined;
    const { store, keys, clock, log } = this.#parts;
    const { org } = claimed;
    const origin = originOf(claimed.controlPlane.id, org, 1);
    const seconds = Math.floor(clock.now() / 1_000);
    const verdict = await store.withOrg(org, async (tx) => {
      const judged = judgeOffer(await heldOf(tx, origin), offer, { origin, witness: this.#signer, seconds });
      if (judged.do === 'cosign') await this.#keep(tx, claimed, origin, judged);
      return judged;
    });
    if (verdict.do === 'ignore') log.warn('audit.offer_ignored', { code: verdict.code });
    if (verdict.do !== 'accuse') return undefined;
    this.#accused += 1;
    const { do: _, ...found } = verdict;
    await keepAccusation(this.#parts, org, keys.id, { origin, at: clock.now(), ...found });
    return { name: 'log-accused', body: { origin, ...found } };
  }

  /** The held checkpoint and the cosignature become durable together: nobody reads the one before the other is stored. */
  async #keep(
    tx: Tx,
    { org }: ClaimedOrganisation,
    origin: string,
    { held, checkpoint }: Extract<OfferVerdict, { do: 'cosign' }>,
  ): Promise<void> {
    const { keys } = this.#parts;
    // Nothing of a log that was accused is cosigned, until officers have decided.
    const accused = await tx
      .selectFrom('audit_accusation')
      .select('digest')
      .where('witness', '=', keys.id)
      .executeTakeFirst();
    if (accused !== undefined) return;
    const { size, note } = held;
    const key = formatVerifierKey(verifierKey(origin, 'note', held.key as NotePublicKey));
    await tx
      .insertInto('audit_held')
      .values({ org, origin, key, size, note })
      .onConflict((conflict) => conflict.columns(['org', 'origin']).doUpdateSet({ size, note }))
      .execute();
    const own = formatVerifierKey(verifierKey(keys.id, 'cosignature', this.#signer.key.publicKey));
    await tx
      .insertInto('audit_witness')
      .values({ org, witness: keys.id, origin, key: own, size, note: checkpoint })
      .onConflict((conflict) => conflict.columns(['org', 'witness', 'origin']).doUpdateSet({ size, note: checkpoint }))
      .execute();
  }
}

async function heldOf(tx: Tx, origin: string): Promise<HeldCheckpoint | undefined> {
  const row = await tx
    .selectFrom('audit_held')
    .select(['key', 'size', 'note'])
    .where('origin', '=', origin)
    .forUpdate()
    .executeTakeFirst();
  const key = row && parseVerifierKey(row.key);
  return row === undefined || key === undefined ? undefined : { key: key.publicKey, size: row.size, note: row.note };
}

import { canonicalBytes, epochMs, newId } from '@ringfence/base';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import {
  checkCodeProof,
  codeProof,
  KeyringError,
  parseRegistrationCode,
  readStatement,
  type ClaimCode,
} from '@ringfence/keyring';
import type { LinkPeer } from '@ringfence/client/payload-link';
import type { claimAnswer, claimKeysAnswer, claimRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { noticesOf } from '../keyring/change-keyring.ts';
import { headOf } from '../keyring/signed-head.ts';
import { enqueue } from '../links/outbox.ts';
import { REGISTRATION } from '../store/sealed-columns.ts';
import { checkClaimedKeyring } from './check-claim.ts';
import { loadOrganisation } from './load-organisation.ts';
import { registerAtControlPlane } from './register.ts';

type Claim = z.output<typeof claimRequest>;

/** How long a claim's answer waits for the control plane to know the owner's device. */
const ACKNOWLEDGE_WITHIN_MS = 3_000;

/** Turns an unclaimed custodian into an organisation's own. */
export class Claiming {
  readonly #context: CustodianContext;
  readonly #code: ClaimCode;
  readonly #onClaimed: () => Promise<void>;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(context: CustodianContext, code: ClaimCode, onClaimed: () => Promise<void>) {
    this.#context = context;
    this.#code = code;
    this.#onClaimed = onClaimed;
  }

  /** The custodian's keys, to whoever proves the claim secret on this link. Throws CustodianError `bad-code`. */
  keys(proof: string, peer: LinkPeer): z.input<typeof claimKeysAnswer> {
    this.#check('claim-keys-request', {}, { proof, peer });
    const { id, sign, enrolment, tls, seal } = this.#context.keys;
    const body = {
      keys: {
        custodian: id,
        sign: sign.publicKey,
        enrolment: enrolment.publicKey,
        tls: tls.publicKey,
        seal: seal.publicKey,
      },
    };
    return {
      ...body,
      proof: codeProof(this.#code.secret, { message: 'claim-keys-answer', link: this.#link(peer), body }),
    };
  }

  /**
   * Stores the keyring and registers at the control plane; the same claim again gives the same answer. Throws CustodianError `bad-code`,
   * `bad-statement`, `claimed`, `not-registered`.
   */
  claim({ proof, ...body }: Claim, peer: LinkPeer): Promise<z.input<typeof claimAnswer>> {
    this.#check('claim-request', body, { proof, peer });
    const result = this.#tail.then(() => this.#take(body));
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #take(body: Omit<Claim, 'proof'>): Promise<z.input<typeof claimAnswer>> {
    const context = this.#context;
    const digest = sha256Hex(canonicalBytes(body));
    const stored = await loadOrganisation(context.store);
    if (stored?.registered !== true || !(await this.#isRepeated(digest))) {
      if (stored?.registered === true)
        throw new CustodianError('claimed', 'this custodian has an organisation already', {
          next: 'set up another custodian, or use the profile of the organisation that has this one',
        });
      if (stored === undefined || !(await this.#isRepeated(digest))) await this.#store(body, digest);
      context.fault('claim-after-store');
      await registerAtControlPlane(context);
      context.fault('claim-after-register');
      await this.#onClaimed();
      await context.link.acknowledged(ACKNOWLEDGE_WITHIN_MS, true);
    }
    const { claimed } = context.owner;
    if (claimed === undefined) throw new CustodianError('unavailable', 'the claim is stored and not yet taken up');
    const { org, project, head, controlPlane } = claimed;
    return { org, project, head, controlPlane };
  }

  async #isRepeated(digest: Digest): Promise<boolean> {
    const stored = await loadOrganisation(this.#context.store);
    if (stored === undefined) return false;
    const row = await this.#context.store.withOrg(stored.organisation.org, (tx) =>
      tx.selectFrom('organisation').select('claim_digest').executeTakeFirstOrThrow(),
    );
    return row.claim_digest === digest;
  }

  /** Stores the claim as `registering`; one that never reached its control plane gives way. */
  async #store(body: Omit<Claim, 'proof'>, digest: Digest): Promise<void> {
    const context = this.#context;
    const { keyring } = checkClaimedKeyring(body.keyring, context.keys, context.clock.now());
    const { org } = keyring;
    const registration = readRegistration(body.registration);
    const earlier = await loadOrganisation(context.store);
    if (earlier !== undefined) await this.#forget(earlier.organisation.org);
    const signed = headOf(context, keyring, 1);
    await context.store.withOrg(org, async (tx) => {
      await tx
        .insertInto('organisation')
        .values({
          org,
          project: newId('project', context.rng),
          state: 'registering',
          claim_digest: digest,
          registration_box: context.columns.seal(REGISTRATION, org, body.registration),
          control_plane: JSON.stringify(registration.route.controlPlane),
          passphrase_sealed: body.passphraseSealed,
          keyring_seq: keyring.head.seq,
          head: JSON.stringify(signed.head),
          head_at: epochMs(signed.headAt),
          last_backup_at: null,
        })
        .execute();
      const statements = body.keyring.map((statement, seq) => ({ org, seq, envelope: JSON.stringify(statement) }));
      await tx.insertInto('keyring_statement').values(statements).execute();
      for (const [seq, statement] of body.keyring.entries())
        for (const notice of noticesOf(readStatement('keyring', statement).claimed.change, seq))
          await enqueue(tx, org, notice);
      await context.record(tx, org, {
        type: 'claimed',
        custodian: context.keys.id,
        keyringDigest: keyring.head.digest,
      });
      context.fault('claim-before-store');
    });
  }

  async #forget(org: Parameters<CustodianContext['store']['withOrg']>[0]): Promise<void> {
    await this.#context.store.withOrg(org, async (tx) => {
      await tx.deleteFrom('outbox').where('org', '=', org).execute();
      await tx.deleteFrom('event').where('org', '=', org).execute();
      await tx.deleteFrom('organisation').where('org', '=', org).where('state', '=', 'registering').execute();
    });
  }

  #check(
    message: 'claim-keys-request' | 'claim-request',
    body: object,
    { proof, peer }: { proof: string; peer: LinkPeer },
  ): void {
    if (checkCodeProof(this.#code.secret, { message, link: this.#link(peer), body }, proof)) return;
    throw new CustodianError('bad-code', 'the claim code is not this custodian’s, or was spent', {
      next: 'copy the code from the file that the custodian names when it starts',
    });
  }

  #link(peer: LinkPeer) {
    return { client: peer.key, server: this.#context.keys.tls.publicKey };
  }
}

function readRegistration(text: string) {
  try {
    return parseRegistrationCode(text);
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    throw new CustodianError('bad-code', cause.message, { cause, next: 'copy the whole registration code again' });
  }
}

// Clients of a measured round, all in one process that knows every secret: they say what clients say, and mask the first coordinates only.
import type { KeyObject } from 'node:crypto';
import { Secret, systemRng } from '@ringfence/base';
import { rawPublicKey, x25519PrivateKey, x25519PublicKey, x25519Secret } from '@ringfence/crypto/key-agreement';
import { sha256Hex, SigningKey } from '@ringfence/crypto/sign';
import { addMasks, packRing, ringWidth, type SignedMask } from '@ringfence/fl/ring';
import { openRound, type Round } from '@ringfence/fl/secagg';
import { commitmentOf, encodeShare, SHARE_BYTES, split } from '@ringfence/fl/sharing';
import { graphSeed } from '../../engines/fl/src/secagg/client-setup.ts';
import { pairSign } from '../../engines/fl/src/secagg/client-vector.ts';
import { signDealing } from '../../engines/fl/src/secagg/dealing.ts';
import { degreeOf } from '../../engines/fl/src/secagg/degree.ts';
import { DEALT_BYTES, encodeFrame, SEALED_SHARES_BYTES, type FrameBody } from '../../engines/fl/src/secagg/frames.ts';
import { completeGraph, ringGraph, type RosterGraph } from '../../engines/fl/src/secagg/graph.ts';
import { beaconCommitmentOf, signStatement } from '../../engines/fl/src/secagg/key-statement.ts';
import {
  drawSecrets,
  maskContext,
  maskKeyOf,
  maskPublicKeyOf,
  pairMaskSeed,
  seedCommitmentOf,
  selfMaskSeed,
  type RoundSecrets,
} from '../../engines/fl/src/secagg/round-secrets.ts';
import { signConsent, type SurvivorSets } from '../../engines/fl/src/secagg/survivors.ts';

/** Coordinates that are masked and looked at afterwards; the others travel and are summed all the same. */
export const LOOKED_AT = 256;

/** What is measured. */
export interface MeasuredRound {
  readonly clients: number;
  readonly parameters: number;
  readonly bits: number;
}

/** What the contract allows for: degrees are chosen by it. */
export const TOLERATED_DROPOUT = 0.05;

const PLAIN = new Uint8Array(0);

/** The identities of a measured round. */
export function partiesOf({ clients, parameters, bits }: MeasuredRound): {
  round: Round;
  members: SigningKey[];
  aggregator: SigningKey;
} {
  const members = Array.from({ length: clients }, () => SigningKey.generate(systemRng));
  const aggregator = SigningKey.generate(systemRng);
  const round = openRound({
    contract: sha256Hex(PLAIN),
    round: 1,
    model: sha256Hex(PLAIN),
    config: sha256Hex(PLAIN),
    members: members.map(({ publicKey }, at) => ({ identity: publicKey, unit: String(at) })),
    aggregator: aggregator.publicKey,
    width: ringWidth(bits),
    length: parameters,
    corrupt: 0.1,
    dropout: TOLERATED_DROPOUT,
    leastMembers: 3,
    leastUnits: 3,
  });
  return { round, members, aggregator };
}

/** All clients of a round; the last `dropped` of them send no vector. */
export class MeasuredClients {
  readonly round: Round;
  readonly dropped: number;
  /** The sum that has to come out, of the coordinates that are looked at. */
  readonly expected = new Uint32Array(LOOKED_AT);
  readonly #keys: readonly SigningKey[];
  readonly #secrets: readonly RoundSecrets[];
  readonly #publicKeys: readonly Uint8Array[];
  #context: Uint8Array = PLAIN;
  #keyObjects: KeyObject[] | undefined;
  #graph: RosterGraph | undefined;
  /** By dealer: the encoded share of the own mask and the one of the key, for each neighbour. */
  readonly #shares: Uint8Array[] = [];

  constructor(round: Round, keys: readonly SigningKey[], dropped: number) {
    this.round = round;
    this.dropped = dropped;
    this.#keys = keys;
    this.#secrets = keys.map(() => drawSecrets(systemRng));
    this.#publicKeys = this.#secrets.map(({ keySeed }) => maskPublicKeyOf(keySeed));
  }

  get size(): number {
    return this.#keys.length;
  }

  /** A client's signed keys. */
  keys(member: number): Uint8Array {
    const secrets = this.#of(member);
    const keys = {
      attempt: 0,
      member,
      maskKey: this.#publicKeys[member] ?? PLAIN,
      shareKey: rawPublicKey(x25519PrivateKey(secrets.shareKey.expose())),
      beaconCommitment: beaconCommitmentOf(secrets.beacon.expose()),
    };
    return this.#frame({ kind: 'keys', statement: signStatement(this.round, keys, this.#identity(member)) });
  }

  /** A client's part of the beacon. */
  reveal(member: number): Uint8Array {
    return this.#frame({ kind: 'reveal', beacon: this.#of(member).beacon.expose() });
  }

  /** The roster's root has come: context and graph follow. */
  takeRoot(root: Uint8Array): void {
    this.#context = maskContext(this.round, 0, root);
    const degree = degreeOf(this.round, this.size);
    const beacons = this.#secrets.map(({ beacon }) => beacon.expose());
    this.#graph = degree.complete
      ? completeGraph(this.size, degree)
      : ringGraph(graphSeed(this.#context, beacons), this.size, degree);
  }

  /** What a client deals. The letters hold random bytes: nobody opens them here. */
  shares(member: number): Uint8Array {
    const { selfSeed, keySeed } = this.#of(member);
    const near = this.#near(member);
    const plan = { threshold: degreeOf(this.round, this.size).threshold, shares: near.length };
    const [self, key] = [split(selfSeed, plan, systemRng), split(keySeed, plan, systemRng)];
    const dealt = new Uint8Array(DEALT_BYTES * near.length);
    const kept = new Uint8Array(2 * SHARE_BYTES * near.length);
    for (const [at, pair] of self.map((share, each) => [share, key[each] ?? share] as const).entries()) {
      dealt.set(systemRng.bytes(SEALED_SHARES_BYTES), at * DEALT_BYTES);
      for (const [which, share] of pair.entries()) {
        kept.set(encodeShare(share), (2 * at + which) * SHARE_BYTES);
        dealt.set(commitmentOf(share), at * DEALT_BYTES + SEALED_SHARES_BYTES + 32 * which);
      }
    }
    this.#shares[member] = kept;
    const dealing = { seedCommitment: seedCommitmentOf(selfSeed, this.#context), dealt };
    const signature = signDealing(this.#context, dealing, this.#identity(member));
    return this.#frame({ kind: 'shares', signature, ...dealing });
  }

  /** The first bytes of a client's packed masked vector. */
  masked(member: number): Uint8Array {
    const values = Uint32Array.from({ length: LOOKED_AT }, (_, at) => member + at);
    for (const [at, value] of values.entries()) this.expected[at] = (this.expected[at] ?? 0) + value;
    const { keySeed, selfSeed } = this.#of(member);
    const own = maskKeyOf(keySeed);
    this.#keyObjects ??= this.#publicKeys.map(x25519PublicKey);
    const keys = this.#keyObjects;
    const masks: SignedMask[] = this.#near(member).map((peer) => {
      using agreed = new Secret(x25519Secret(own, keys[peer] ?? PLAIN));
      return { seed: pairMaskSeed(agreed, this.#context), sign: pairSign(member, peer) };
    });
    addMasks(values, [...masks, { seed: selfMaskSeed(selfSeed, this.#context), sign: 1 }], this.round.width);
    return packRing(values, this.round.width);
  }

  /** A client's signature of the survivors. */
  consent(member: number, sets: SurvivorSets): Uint8Array {
    return this.#frame({ kind: 'consent', signature: signConsent(this.#context, sets, this.#identity(member)) });
  }

  /** A survivor's answer. */
  answer(member: number): Uint8Array {
    const shares = this.#near(member).map((dealer) => {
      const at = 2 * this.#near(dealer).indexOf(member) + (dealer < this.size - this.dropped ? 0 : 1);
      return {
        place: dealer,
        bytes: (this.#shares[dealer] ?? PLAIN).subarray(at * SHARE_BYTES, (at + 1) * SHARE_BYTES),
      };
    });
    return this.#frame({ kind: 'answer', shares });
  }

  readonly #nearest: (readonly number[])[] = [];

  #near(member: number): readonly number[] {
    return (this.#nearest[member] ??= this.#graph?.neighboursOf(member) ?? []);
  }

  #of(member: number): RoundSecrets {
    const secrets = this.#secrets[member];
    if (secrets === undefined) throw new RangeError('no such client');
    return secrets;
  }

  #identity(member: number): SigningKey {
    const key = this.#keys[member];
    if (key === undefined) throw new RangeError('no such client');
    return key;
  }

  #frame(body: FrameBody): Uint8Array {
    return encodeFrame({ round: this.round.round, attempt: 0, body });
  }
}

import assert from 'node:assert/strict';
import type { SigningKey } from '@ringfence/crypto/sign';
import { decodeFrame, encodeFrame, type FrameBody, type FrameKind } from './frames.ts';
import { identityOf, SampleNetwork, sampleRound } from './network.fixture.ts';
import type { RoundParameters } from './round.ts';

/** A frame's body of one kind. */
export type BodyOf<Kind extends FrameKind> = Extract<FrameBody, { kind: Kind }>;

/** The aggregator's own key: an attack by the aggregator may sign whatever it likes. */
export const AGGREGATOR: SigningKey = identityOf('aggregator');

/** A network of honest clients and an honest aggregator between whom an attacker sits. */
export class AttackedNetwork extends SampleNetwork {
  /** Everybody begins; then frames are delivered until `member` has one of `kind` waiting, which is not delivered. */
  static until(kind: FrameKind, member: number, clients = 4, other: Partial<RoundParameters> = {}): AttackedNetwork {
    const network = new AttackedNetwork(sampleRound(clients, other), `attack ${kind}`);
    for (const each of network.houses.keys()) network.begin(each);
    network.runUntil(kind, member);
    return network;
  }

  /** Delivers everything but the first frame of this kind that waits for `member`, whichever way it goes. */
  runUntil(kind: FrameKind, member: number): void {
    const waits = (): boolean => (['up', 'down'] as const).some((way) => this.#kindOf(member, way) === kind);
    for (let turns = 0; turns < 1_000 && !waits(); turns += 1) {
      let moved = false;
      for (const each of this.houses.keys())
        for (const way of ['up', 'down'] as const)
          while (!(each === member && this.#kindOf(each, way) === kind) && this.deliver(each, way)) moved = true;
      if (!moved && !waits() && this.armed !== undefined) this.aggregate({ kind: 'deadline', phase: this.armed });
    }
    assert.ok(waits(), `no ${kind} came`);
  }

  /** Puts another frame in the place of the one that waits. */
  forge<Kind extends FrameKind>(kind: Kind, member: number, change: (body: BodyOf<Kind>) => FrameBody): void {
    for (const way of ['up', 'down'] as const) {
      const [bytes] = this.house(member)[way];
      if (bytes === undefined) continue;
      const frame = decodeFrame(bytes);
      if (frame.body.kind !== kind) continue;
      this.house(member)[way][0] = encodeFrame({ ...frame, body: change(frame.body as BodyOf<Kind>) });
      return;
    }
    assert.fail(`no ${kind} waits`);
  }

  /** Says something to a client in the aggregator's name. */
  tell(member: number, body: FrameBody): void {
    const { round, attempt } = this.aggregator;
    this.client(member, { kind: 'frame', frame: encodeFrame({ round: round.round, attempt, body }) });
  }

  /** Says something to the aggregator over a member's link. */
  say(member: number, body: FrameBody): void {
    const { round, attempt } = this.aggregator;
    this.aggregate({ kind: 'frame', member, frame: encodeFrame({ round: round.round, attempt, body }) });
  }

  /** The frames of a kind that a client has sent. */
  sentBy(member: number, kind: FrameKind): Uint8Array[] {
    return this.sent
      .filter(([each, frame]) => each === member && decodeFrame(frame).body.kind === kind)
      .map(([, frame]) => frame);
  }

  /** The kind of the oldest frame that a client's link carries to the aggregator. */
  nextUp(member: number): FrameKind | undefined {
    return this.#kindOf(member, 'up');
  }

  /** Whether a client's vector is in the sum. */
  folded(member: number): boolean {
    return this.aggregator.folded.has(member);
  }

  /** Asserts that a client left the round for this reason and answered nothing. */
  refusedBy(member: number, code: string): void {
    assert.equal(this.house(member).code, code);
    assert.deepEqual(this.sentBy(member, 'answer'), []);
  }

  /** Asserts that the aggregator put a member out for this reason. */
  putOut(member: number, code: string): void {
    assert.deepEqual(this.excluded, [[member, code]]);
  }

  #kindOf(member: number, way: 'up' | 'down'): FrameKind | undefined {
    const [frame] = this.house(member)[way];
    return frame === undefined ? undefined : decodeFrame(frame).body.kind;
  }
}

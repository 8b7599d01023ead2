// A process that is the aggregator of a measured round and nothing else: its CPU time is that of the aggregator's steps, its memory its own.
import { Secret, systemRng } from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import { packedBytes, ringWidth } from '@ringfence/fl/ring';
import {
  CHUNK_BYTES,
  openRound,
  startAggregator,
  stepAggregator,
  type AggregatorEvent,
  type AggregatorState,
  type AggregatorStep,
  type RoundParameters,
} from '@ringfence/fl/secagg';
import { encodeFrame, FRAME_TAGS } from '../../engines/fl/src/secagg/frames.ts';
import { LOOKED_AT } from './clients.ts';

/** What the process is told. */
export type ServerOrder =
  | { readonly kind: 'open'; readonly parameters: RoundParameters; readonly seed: Uint8Array }
  | { readonly kind: 'frames'; readonly frames: readonly (readonly [member: number, frame: Uint8Array])[] }
  /** Whole vectors, of which the first bytes are given and the others are made up here. */
  | { readonly kind: 'vectors'; readonly vectors: readonly (readonly [member: number, beginning: Uint8Array])[] }
  | { readonly kind: 'deadline' };

/** What the process says after each order. */
export interface ServerReport {
  readonly phase: string;
  /** Of the steps so far. */
  readonly cpuSeconds: number;
  readonly peakMb: number;
  /** The last frame of each kind that went out, by its tag; sets and roots are the same for everybody. */
  readonly frames: Readonly<Record<number, Uint8Array>>;
  readonly sum: Uint32Array | undefined;
  readonly code: string | undefined;
}

let state: AggregatorState | undefined;
let cpuMicroseconds = 0;
let frames: Record<number, Uint8Array> = {};
let sum: Uint32Array | undefined;
let code: string | undefined;
let vector = new Uint8Array(0);

process.on('message', (order: ServerOrder) => {
  obey(order);
  const report: ServerReport = {
    phase: state?.phase ?? '',
    cpuSeconds: cpuMicroseconds / 1e6,
    peakMb: process.resourceUsage().maxRSS / 1024,
    frames,
    sum,
    code,
  };
  frames = {};
  process.send?.(report);
});

function obey(order: ServerOrder): void {
  switch (order.kind) {
    case 'open': {
      const round = openRound(order.parameters);
      vector = new Uint8Array(packedBytes(round.length, ringWidth(round.width)));
      const identity = SigningKey.fromSeed(new Secret(Uint8Array.from(order.seed)));
      timed(() => take(startAggregator(round, -1, { identity, rng: systemRng })));
      return;
    }
    case 'frames':
      timed(() => {
        for (const [member, frame] of order.frames) step({ kind: 'frame', member, frame });
      });
      return;
    case 'vectors':
      for (const [member, beginning] of order.vectors) upload(member, beginning);
      return;
    case 'deadline':
      timed(() => {
        if (state !== undefined) step({ kind: 'deadline', phase: state.phase });
      });
  }
}

function upload(member: number, beginning: Uint8Array): void {
  vector.set(beginning);
  const chunks = Array.from({ length: Math.ceil(vector.length / CHUNK_BYTES) }, (_, index) => {
    const bytes = vector.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    return encodeFrame({ round: 1, attempt: 0, body: { kind: 'chunk', index, bytes } });
  });
  const sent = [encodeFrame({ round: 1, attempt: 0, body: { kind: 'ready' } }), ...chunks];
  timed(() => {
    for (const frame of sent) step({ kind: 'frame', member, frame });
  });
}

function step(event: AggregatorEvent): void {
  if (state !== undefined) take(stepAggregator(state, event));
}

/** CPU time of this process over some steps, system time and the collector's threads included; not of each, since asking for it costs as much as a small step. */
function timed(work: () => void): void {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  cpuMicroseconds += user + system;
}

function take(done: AggregatorStep): void {
  state = done.state;
  for (const command of done.commands) {
    if (command.kind === 'send' && TOLD.has(command.frame[0] ?? 0)) frames[command.frame[0] ?? 0] = command.frame;
    if (command.kind === 'finished') sum = command.outcome.sum.slice(0, LOOKED_AT);
    if (command.kind === 'aborted') code = command.code;
  }
}

/** Frames from which the clients learn the root of the roster and the survivors. */
const TOLD: ReadonlySet<number> = new Set([FRAME_TAGS.roster, FRAME_TAGS.survivors]);

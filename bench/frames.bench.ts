import { newId, systemRng } from '@ringfence/base';
import { createInitiator, respond } from '@ringfence/crypto/channel';
import { SigningKey } from '@ringfence/crypto/sign';
import { FrameReceiver, FrameSender } from '@ringfence/protocol/frames';
import type { Message } from '@ringfence/protocol/messages';
import { perSecond, type Repeated } from './measure.ts';
import type { Row } from './row.ts';

export const description = 'sealing and opening of 512-byte control frames on one core, with and without signature';

const attempt = { job: newId('job', systemRng), attempt: 1 };
const HEARTBEAT: Message = { name: 'heartbeat', body: { attempts: [{ ...attempt, memory: 31, cpu: 12 }] } };
const STATUS: Message = { name: 'attempt-status', body: { ...attempt, state: 'running' } };
const HELLO: Message = {
  name: 'hello',
  body: {
    role: 'agent',
    party: newId('agent', systemRng),
    org: newId('org', systemRng),
    versions: { min: 1, max: 1 },
    journal: { seq: 1, hash: '0'.repeat(64) as never },
    resume: null,
    received: 0,
  },
};
/** Frames that are opened over and over, by a new receiver each time round. */
const ROUND = 2_000;

/** Rows `seal_per_s`, `open_per_s` (goals per core) and `signed_per_s` (signed, sealed, opened and verified). */
export async function* run(): AsyncGenerator<Row> {
  const link = connection();
  const sender = link.sender();
  yield row('seal_per_s', await perSecond(() => void sender.seal(HEARTBEAT, 0)), 50_000);
  yield row('open_per_s', await perSecond(opening(link)), 50_000);
  yield row('signed_per_s', await perSecond(bothWays(link)), 4_000);
}

/** The party's direction of a connection, after a real key agreement. */
function connection() {
  const initiator = createInitiator(systemRng);
  const transcript = systemRng.bytes(32);
  const responder = respond(initiator.publicShare, systemRng);
  const { initiatorToResponder: key } = initiator.finish(responder.share, transcript);
  const signing = SigningKey.generate(systemRng);
  const shared = { direction: 'party', key, transcript } as const;
  return {
    sender: () => new FrameSender({ ...shared, signing }),
    receiver: () => new FrameReceiver({ ...shared, role: 'agent', signer: signing.publicKey }),
  };
}

function opening(link: ReturnType<typeof connection>): () => void {
  const sender = link.sender();
  const frames = [sender.seal(HELLO, 0).bytes];
  while (frames.length < ROUND) frames.push(sender.seal(HEARTBEAT, 0).bytes);
  let receiver = link.receiver();
  let next = 0;
  return () => {
    const frame = frames[next];
    if (frame === undefined || !receiver.open(frame).ok) throw new Error('a good frame was refused');
    next += 1;
    if (next < ROUND) return;
    next = 0;
    receiver = link.receiver();
  };
}

function bothWays(link: ReturnType<typeof connection>): () => void {
  const sender = link.sender();
  const receiver = link.receiver();
  if (!receiver.open(sender.seal(HELLO, 0).bytes).ok) throw new Error('hello was refused');
  let mid = 0;
  return () => {
    mid += 1;
    if (!receiver.open(sender.seal(STATUS, mid).bytes).ok) throw new Error('a good frame was refused');
  };
}

function row(name: string, { median, spreadPercent }: Repeated, goal: number): Row {
  const params = { frame_bytes: 512, spread_percent: spreadPercent };
  return { name, params, value: median, unit: '1/s', goal: { atLeast: goal }, peer: null };
}

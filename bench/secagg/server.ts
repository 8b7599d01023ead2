import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { FRAME_TAGS, decodeFrame } from '../../engines/fl/src/secagg/frames.ts';
import { loadNow } from '../measure.ts';
import type { Goal, Row } from '../row.ts';
import { MeasuredClients, partiesOf, type MeasuredRound } from './clients.ts';
import type { ServerOrder, ServerReport } from './server-process.ts';

const DROPOUT = 0.05;
const BATCH = 100;

/** `server_cpu_s` and `peak_mb` of one round by the aggregator in a process of its own. The sum of the coordinates that are looked at is asserted. */
export async function* serverRows(
  measured: MeasuredRound,
  goals: { cpu: Goal | null; memory: Goal | null },
): AsyncGenerator<Row> {
  const { round, members, aggregator } = partiesOf(measured);
  const clients = new MeasuredClients(round, members, Math.floor(DROPOUT * measured.clients));
  const process = new ServerProcess();
  try {
    const { digest: _digest, ...parameters } = round;
    await process.tell({ kind: 'open', parameters, seed: aggregator.seed().expose() });
    const end = await drive(process, clients);
    assert.equal(end.code, undefined);
    const modulus = 2 ** measured.bits;
    assert.deepEqual(
      end.sum,
      clients.expected.map((value) => value % modulus),
    );
    const params = { ...measured, dropout: DROPOUT, load: loadNow() };
    yield { name: 'server_cpu_s', params, value: end.cpuSeconds, unit: 's', goal: goals.cpu, peer: null };
    yield { name: 'peak_mb', params, value: end.peakMb, unit: 'MB', goal: goals.memory, peer: null };
  } finally {
    process.end();
  }
}

async function drive(server: ServerProcess, clients: MeasuredClients): Promise<ServerReport> {
  const all = Array.from({ length: clients.size }, (_, member) => member);
  const alive = all.slice(0, clients.size - clients.dropped);
  let report = await server.each(all, (member) => clients.keys(member));
  const roster = decodeFrame(report.frames[FRAME_TAGS.roster] ?? new Uint8Array(0)).body;
  if (roster.kind !== 'roster') throw new Error('no roster came');
  clients.takeRoot(roster.root);
  if (report.phase === 'reveals') report = await server.each(all, (member) => clients.reveal(member));
  await server.each(all, (member) => clients.shares(member));
  for (let from = 0; from < alive.length; from += BATCH) {
    const vectors = alive.slice(from, from + BATCH).map((member) => [member, clients.masked(member)] as const);
    report = await server.tell({ kind: 'vectors', vectors });
  }
  if (report.phase === 'vectors') report = await server.tell({ kind: 'deadline' });
  const survivors = decodeFrame(report.frames[FRAME_TAGS.survivors] ?? new Uint8Array(0)).body;
  if (survivors.kind !== 'survivors') throw new Error('no survivors came');
  await server.each(alive, (member) => clients.consent(member, survivors));
  return server.each(alive, (member) => clients.answer(member));
}

/** The aggregator's process; one order at a time. */
class ServerProcess {
  readonly #child = fork(join(import.meta.dirname, 'server-process.ts'), { serialization: 'advanced' });

  async tell(order: ServerOrder): Promise<ServerReport> {
    const answered = once(this.#child, 'message');
    this.#child.send(order);
    const [report] = (await answered) as [ServerReport];
    return report;
  }

  /** One frame of each client; what was reported last, with the frames of all reports. */
  async each(members: readonly number[], frameOf: (member: number) => Uint8Array): Promise<ServerReport> {
    let report: ServerReport | undefined;
    let frames: ServerReport['frames'] = {};
    for (let from = 0; from < members.length; from += BATCH) {
      const part = members.slice(from, from + BATCH).map((member) => [member, frameOf(member)] as const);
      report = await this.tell({ kind: 'frames', frames: part });
      frames = { ...frames, ...report.frames };
    }
    if (report === undefined) throw new Error('nobody said anything');
    return { ...report, frames };
  }

  end(): void {
    this.#child.disconnect();
  }
}

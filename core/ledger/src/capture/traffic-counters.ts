import { jsonOf } from '@ringfence/base';
import { z } from 'zod';
import { LedgerError } from '../ledger-error.ts';
import type { WireSocket } from '../wire/wire-report.ts';

const counter = z.looseObject({ name: z.string(), packets: z.int().min(0), bytes: z.int().min(0) });
const listed = z.looseObject({
  nftables: z.array(z.union([z.looseObject({ counter }), z.looseObject({})])),
});

/** Bytes that left, between which two numbers, as a packet counter proves them. */
export interface CounterBounds {
  readonly name: string;
  readonly packets: number;
  readonly bytes: number;
  /** TCP payload that these packets can have carried. */
  readonly least: number;
  readonly most: number;
  /** What the journal says was written to or read from these connections. */
  readonly recorded: number;
  readonly ok: boolean;
}

/** What comparing a journal with packet counters showed. */
export interface CounterReport {
  readonly ok: boolean;
  readonly counters: readonly CounterBounds[];
  /** Connections that are not closed: what they carried is not recorded yet, and nothing can be said. */
  readonly open: number;
}

const LONGEST_TCP_HEADER = 60;
const SHORTEST_TCP_HEADER = 20;

/**
 * Compares the journals' TCP connections, dialled at `since` (milliseconds since 1970) or later, with the counters `ringfence_out` and
 * `ringfence_in` of `nft -j list counters`. Throws LedgerError `bad-capture`.
 */
export function reconcileCounters(text: string, sockets: readonly WireSocket[], since = 0): CounterReport {
  const found = readCounters(text);
  const all = sockets.filter(({ from }) => from >= since);
  const open = all.filter(({ closed }) => closed === undefined).length;
  const ipHeader = all.some(({ remote }) => remote.startsWith('[')) ? 40 : 20;
  const counters = (['out', 'in'] as const).map((direction): CounterBounds => {
    const { packets, bytes } = found[direction];
    const least = Math.max(0, bytes - packets * (ipHeader + LONGEST_TCP_HEADER));
    const most = bytes - packets * (20 + SHORTEST_TCP_HEADER);
    const recorded = all.reduce((sum, { closed }) => sum + (closed?.[direction] ?? 0), 0);
    const ok = recorded >= least && recorded <= most;
    return { name: `ringfence_${direction}`, packets, bytes, least, most, recorded, ok };
  });
  return { ok: open === 0 && counters.every(({ ok }) => ok), counters, open };
}

function readCounters(text: string): Record<'in' | 'out', z.infer<typeof counter>> {
  const parsed = listed.safeParse(jsonOf(text));
  const rows = (parsed.data?.nftables ?? []).flatMap((row) => {
    const read = counter.safeParse('counter' in row ? row['counter'] : undefined);
    return read.success ? [read.data] : [];
  });
  const named = (name: string) => rows.find((row) => row.name === name);
  const [cameIn, out] = [named('ringfence_in'), named('ringfence_out')];
  if (cameIn === undefined || out === undefined) throw badCounters();
  return { in: cameIn, out };
}

function badCounters(): LedgerError {
  return new LedgerError('bad-capture', 'the file holds no counters ringfence_out and ringfence_in', {
    next: 'name the two counters so and write them with nft -j list counters; docs/operate/wire.md has the rules',
  });
}

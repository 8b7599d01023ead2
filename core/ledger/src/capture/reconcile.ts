import type { WireSocket } from '../wire/wire-report.ts';
import { capturedPackets } from './capture-file.ts';
import { connectionsTo, type TcpConnection } from './tcp-connection.ts';
import { tcpSegmentOf, type TcpSegment } from './tcp-segment.ts';
import { tlsAccount, type TlsAccount } from './tls-account.ts';

/** Why journal and capture do not agree. */
export type ReconciliationCode =
  /** Bytes crossed on a TCP connection of which the journal knows nothing. */
  | 'unrecorded'
  /** A TCP connection of the journal is not in the capture, which covers its time. */
  | 'not-captured'
  /** Another number of bytes left than the party says it wrote. */
  | 'bytes-out'
  /** Another number of bytes arrived than the party says it read. */
  | 'bytes-in'
  /** What left is not TLS 1.3, or not to its end. */
  | 'not-tls'
  /** The application data that left are not the upgrade and the recorded frames. */
  | 'application'
  /** The capture itself lacks packets or parts of them. */
  | 'incomplete-capture';

/** How far one connection could be compared. */
export type ReconciliationState =
  /** To the byte, from its beginning to its end. */
  | 'exact'
  /** To the byte as far as the capture goes: one of both was still going on. */
  | 'so-far'
  /** It was reset: what the party wrote did not all leave. */
  | 'cut'
  /** It began before the capture: nothing can be said. */
  | 'began-before'
  /** No byte of payload crossed it. */
  | 'empty';

/** One TCP connection, as the capture and as the journal have it. */
export interface ReconciledConnection {
  readonly local: string;
  readonly remote: string;
  readonly from: number;
  /** Number of its dial record. */
  readonly dial: number | undefined;
  readonly state: ReconciliationState;
  /** Bytes of TCP payload in the capture. */
  readonly out: number;
  readonly in: number;
  /** Of `out`: application data of TLS, and what of these the journal's frames and the upgrade explain. */
  readonly application: number | undefined;
  readonly explained: number | undefined;
  readonly problems: readonly ReconciliationCode[];
}

/** What comparing a journal with a capture showed. */
export interface Reconciliation {
  readonly ok: boolean;
  readonly packets: number;
  readonly from: number;
  readonly to: number;
  readonly connections: readonly ReconciledConnection[];
  /** Connections of the journal that the capture should show and does not: numbers of their dial records. */
  readonly notCaptured: readonly number[];
  /** TCP packets that could not be read: fragments, cut off headers. */
  readonly unreadable: number;
}

/** Bytes of the WebSocket upgrade beside the name of the host; docs/protocol/control-link.md, "Reconciliation". */
const UPGRADE_BYTES = 191;
/** Header and mask of a WebSocket frame of 126 bytes or more that a client sends (RFC 6455 §5.2). */
const FRAME_HEADER = 8;
/** Most bytes of one TLS record. */
const RECORD_BYTES = 16_384;
/** Records beside those of frames: the upgrade, a close frame, close_notify. */
const OTHER_RECORDS = 3;
/** A close frame with its code, from a client. */
const CLOSE_BYTES = 8;
/** A control plane's close_notify, which may come when the party has closed. */
const CLOSE_NOTIFY = 24;
/** The clocks of capture and party are one, read in two processes. */
const CLOCK_SLACK_MS = 2_000;

/** Compares the TCP connections of journals with a capture (pcap or pcapng) taken on the same machine. Throws LedgerError `bad-capture`. */
export function reconcileCapture(
  file: Uint8Array,
  sockets: readonly WireSocket[],
  remotes: readonly string[] = [],
): Reconciliation {
  const { segments, packets, unreadable, from, to } = readSegments(file);
  const known = new Set([...remotes, ...sockets.map(({ remote }) => remote)]);
  const unmatched = new Set(sockets);
  const connections = connectionsTo(known, segments).map((connection) => {
    const socket = matching(connection, unmatched);
    if (socket !== undefined) unmatched.delete(socket);
    return compare(connection, socket, to);
  });
  const notCaptured = [...unmatched]
    .filter((socket) => socket.from > from + CLOCK_SLACK_MS && socket.from < to - CLOCK_SLACK_MS)
    .map(({ dial }) => dial);
  const agrees = connections.every(({ problems }) => problems.length === 0) && notCaptured.length === 0;
  // An empty capture shows nothing, least of all that nothing crossed.
  const ok = agrees && unreadable === 0 && packets > 0;
  return { ok, packets, from, to, connections, notCaptured, unreadable };
}

function readSegments(file: Uint8Array) {
  const segments: TcpSegment[] = [];
  let packets = 0;
  let unreadable = 0;
  let from = Infinity;
  let to = -Infinity;
  for (const packet of capturedPackets(file)) {
    packets += 1;
    from = Math.min(from, packet.t);
    to = Math.max(to, packet.t);
    const segment = tcpSegmentOf(packet);
    if (segment === 'unreadable') unreadable += 1;
    else if (segment !== undefined) segments.push(segment);
  }
  return { segments, packets, unreadable, from: packets === 0 ? 0 : from, to: packets === 0 ? 0 : to };
}

/** The socket of the journal with the same ends that was dialled closest to it. */
function matching({ local, remote, from }: TcpConnection, sockets: ReadonlySet<WireSocket>): WireSocket | undefined {
  const distance = (socket: WireSocket): number => Math.abs(socket.from - from);
  return [...sockets]
    .filter((socket) => socket.local === local && socket.remote === remote)
    .toSorted((a, b) => distance(a) - distance(b))[0];
}

function compare(connection: TcpConnection, socket: WireSocket | undefined, captureEnd: number): ReconciledConnection {
  const { local, remote, from } = connection;
  const out = connection.out.length;
  const cameIn = connection.in.length;
  const base = { local, remote, from, dial: socket?.dial, out, in: cameIn };
  const nothing = { application: undefined, explained: undefined };
  if (out === 0 && cameIn === 0) return { ...base, ...nothing, state: 'empty', problems: [] };
  if (socket === undefined) {
    const state = connection.begun ? 'exact' : 'began-before';
    return { ...base, ...nothing, state, problems: ['unrecorded'] };
  }
  if (!connection.begun) return { ...base, ...nothing, state: 'began-before', problems: [] };
  const ended = socket.closed !== undefined && socket.closed.at <= captureEnd + CLOCK_SLACK_MS;
  const sent = connection.out.bytes();
  const account = tlsAccount(sent.bytes, connection.in.bytes().bytes);
  const problems: ReconciliationCode[] = sent.complete ? [] : ['incomplete-capture'];
  problems.push(...countProblems(connection, socket, ended));
  const explained = account === undefined ? undefined : explainedBy(account, socket, ended && !connection.reset);
  const throughProxy = socket.via === 'proxy';
  if (account === undefined || (ended && account.rest > 0 && !connection.reset)) problems.push('not-tls');
  else if (account.clear > 0 && !throughProxy) problems.push('not-tls');
  else if (explained !== account.application || account.records > mostRecords(account, socket))
    problems.push('application');
  const state = !ended ? 'so-far' : connection.reset && (socket.closed?.out ?? 0) > out ? 'cut' : 'exact';
  return { ...base, state, application: account?.application, explained, problems };
}

function countProblems(
  connection: TcpConnection,
  { closed }: WireSocket,
  ended: boolean,
): readonly ReconciliationCode[] {
  if (!ended || closed === undefined) return [];
  const out = connection.out.length;
  const cameIn = connection.in.length;
  const problems: ReconciliationCode[] = [];
  if (connection.reset ? out > closed.out : out !== closed.out) problems.push('bytes-out');
  const unread = cameIn - closed.in;
  // What a reset connection had still to read is the control plane's doing.
  if (unread < 0 || (unread > CLOSE_NOTIFY && !connection.reset)) problems.push('bytes-in');
  return problems;
}

/** Each write is one record, or as many as its length needs: the tags of more could carry something of their own. */
function mostRecords({ application }: TlsAccount, { framesOut }: WireSocket): number {
  return framesOut.length + OTHER_RECORDS + Math.ceil(application / RECORD_BYTES);
}

/**
 * The application bytes that the journal explains. At the end of a connection these are all; before, the possible ones that are closest
 * to those that crossed, since frames are recorded before they leave.
 */
function explainedBy({ application }: TlsAccount, { to, framesOut }: WireSocket, isWhole: boolean): number {
  const upgrade = UPGRADE_BYTES + to.length;
  const possible = framesOut.length === 0 || !isWhole ? [0, upgrade] : [];
  let sum = upgrade;
  for (const size of framesOut) {
    sum += FRAME_HEADER + size;
    possible.push(sum);
  }
  const totals = isWhole && framesOut.length > 0 ? possible.slice(-1) : possible;
  const ends = totals.flatMap((total) => (total === 0 ? [0] : [total, total + CLOSE_BYTES]));
  return ends.reduce((best, end) => (Math.abs(end - application) < Math.abs(best - application) ? end : best));
}

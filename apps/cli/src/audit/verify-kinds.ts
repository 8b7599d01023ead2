import { readFileSync } from 'node:fs';
import { epochMs, fromUtf8 } from '@ringfence/base';
import { journalLines } from '@ringfence/client/control-link';
import { checkTombstone, parseEnvelope, readStatement, verifyStatement, type Keyring } from '@ringfence/keyring';
import { leafHash, openCheckpoint, parseTlogProof, readAuditEntry, verifyTlogProof } from '@ringfence/ledger/tlog';
import { STATEMENTS, type StatementName } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { entryLines } from './entry-lines.ts';
import { trustFor } from './export-file.ts';
import type { LogMemory } from './known-logs.ts';
import { namedSigner, OF_CONTROL_PLANE } from './named-signer.ts';

/** What a verification found: for machines, and in lines. */
export interface Found {
  readonly value: object;
  readonly lines: readonly string[];
}

/** By which keys logs are trusted. */
export interface LogTrust {
  readonly keys: readonly string[];
  readonly memory: LogMemory;
}

/** Verifies a proof that an entry is in a log. Throws CliError `check-failed`. */
export function verifyProofFile(path: string, { keys, memory }: LogTrust): Found {
  const proof = parseTlogProof(readFileSync(path));
  if (proof?.extra === undefined) throw wrong('this proof is damaged, or comes without its entry');
  const origin = originOfNote(proof.checkpoint);
  const verified = verifyTlogProof(proof, leafHash(proof.extra), { ...trustFor(origin, keys, memory), quorum: 0 });
  if (!verified.ok) throw wrong(`the proof does not hold: ${verified.code}`);
  const entry = readAuditEntry(proof.extra);
  if (entry === undefined || entry.seq !== proof.index) throw wrong('what is in the log there is no entry of its form');
  const { size } = verified.signed.checkpoint;
  return {
    value: { kind: 'tlog-proof', origin, index: proof.index, size, entry },
    lines: [`Verified: entry ${proof.index} of ${size} of ${origin}`, ...entryLines(entry)],
  };
}

/** Verifies a checkpoint that somebody kept. Throws CliError `check-failed`. */
export function verifyCheckpointFile(path: string, { keys, memory }: LogTrust): Found {
  const bytes = readFileSync(path);
  const origin = originOfNote(fromUtf8(bytes));
  const opened = openCheckpoint(bytes, trustFor(origin, keys, memory));
  if (!opened.ok) throw wrong(`the log did not sign this: ${opened.code}`);
  const { size } = opened.signed.checkpoint;
  const held = memory.headOf(origin);
  if (held?.size === size && held.root !== opened.signed.checkpoint.root)
    throw wrong('the log signed another tree of this size before: it has two histories');
  return {
    value: { kind: 'checkpoint', origin, size },
    lines: [`Verified: ${origin} signed a tree of ${size} entries`],
  };
}

/** Verifies that a journal is one chain from its first line on. Throws LedgerError `broken-journal`. */
export function verifyJournalFile(path: string): Found {
  let records = 0;
  let [seq, hash] = [0, ''];
  for (const record of journalLines({ removed: [], files: [path] })) {
    records += 1;
    ({ seq, hash } = record);
  }
  return {
    value: { kind: 'journal', records, seq, head: hash },
    lines: [
      `Verified: ${records} records are one chain, up to record ${seq} (${hash})`,
      '  what crossed the link beside, `ringfence wire verify` holds against it',
    ],
  };
}

/** Verifies a signed statement against the keyring. Throws CliError `check-failed`, KeyringError. */
export function verifyStatementFile(path: string, keyring: Keyring): Found {
  const envelope = parseEnvelope(JSON.parse(readFileSync(path, 'utf8')));
  const name = nameOf(envelope.payloadType);
  if (name === 'tombstone') {
    const checked = checkTombstone(envelope, { keyring });
    if (!checked.allow) throw wrong(`the tombstone does not count: ${checked.reasons.join(', ')}`);
    return statementFound(name, ['the custodian'], checked.tombstone.body);
  }
  if (OF_CONTROL_PLANE.includes(name)) throw wrong(`a ${name} is the control plane’s, whose keys no keyring holds`);
  const read = readStatement(name, envelope);
  const named = namedSigner(read, keyring);
  if (named !== undefined) {
    if (!('org' in read.claimed && read.claimed.org === keyring.org))
      throw wrong(`this ${name} is another organisation’s`);
    if (!holds(() => verifyStatement(read, named.keys)))
      throw wrong(`${named.who} did not sign this ${name}, or has left the keyring since`);
    return statementFound(name, [named.who], read.claimed);
  }
  const at = 'at' in read.claimed && typeof read.claimed.at === 'number' ? read.claimed.at : 0;
  const signers = [
    ...keyring.devices().flatMap(({ id }) => ({ who: id as string, key: keyring.deviceKey(id) })),
    ...keyring.delegatedKeys('commit', epochMs(at)).map((key) => ({ who: 'the custodian', key })),
    { who: 'the organisation’s root', key: keyring.root },
  ].filter(({ key }) => key !== undefined && holds(() => verifyStatement(read, [key])));
  if (signers.length === 0) throw wrong(`nobody in the keyring has signed this ${name}`);
  return statementFound(
    name,
    signers.map(({ who }) => who),
    read.claimed,
  );
}

function statementFound(name: StatementName, signers: readonly string[], body: object): Found {
  return {
    value: { kind: 'statement', name, signers, body },
    lines: [`Verified: ${name}, signed by ${signers.join(', ')}`, JSON.stringify(body, null, 2)],
  };
}

function nameOf(payloadType: string): StatementName {
  const [, name = ''] = /^application\/vnd\.ringfence\.([a-z-]+)\.v1\+json$/.exec(payloadType) ?? [];
  if (isStatement(name)) return name;
  throw new CliError('bad-file', 'this is a statement of a kind that is not known', { next: 'see docs/protocol' });
}

function isStatement(name: string): name is StatementName {
  return Object.hasOwn(STATEMENTS, name);
}

function originOfNote(note: string): string {
  return note.split('\n', 1)[0] ?? '';
}

function holds(verify: () => unknown): boolean {
  try {
    verify();
    return true;
  } catch {
    return false;
  }
}

function wrong(message: string): CliError {
  return new CliError('check-failed', message, { next: 'keep the file, and get it again from where it came' });
}

import { readFileSync } from 'node:fs';
import { canonicalBytes, jsonOf } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import { KeyringError, parseEnvelope, readStatement, verifyStatement, type Keyring } from '@ringfence/keyring';
import { erasureReport, memberErasureAnswer } from '@ringfence/protocol/payload';
import type { ErasedVersion, ErasureStatement } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { namedSigner } from './named-signer.ts';
import type { Found } from './verify-kinds.ts';

/** Verifies what `ringfence erase --out` wrote: the custodian's word, and that the lists beside it are those that it signed. Throws CliError `bad-file`, `check-failed`. */
export function verifyErasureFile(path: string, keyring: Keyring): Found {
  const json = jsonOf(readFileSync(path, 'utf8'));
  const ofMember = memberErasureAnswer.safeParse(json);
  if (ofMember.success) {
    const body = word('member-erasure', ofMember.data.report, keyring);
    return {
      value: { kind: 'erasure', body },
      lines: [`Verified: the custodian erased what says whose ${body.member} was`],
    };
  }
  const { success, data } = erasureReport.safeParse(json);
  if (!success)
    throw new CliError('bad-file', 'this is no report of an erasure', { next: 'get it again: `ringfence erase`' });
  const { report, versions, derived } = data;
  const body = word('erasure', report, keyring);
  for (const [signed, list, what] of [
    [body.versions, versions, 'was erased'],
    [body.derived, derived, 'was made of it and stays'],
  ] as const)
    if (!isListed(signed, list)) throw wrong(`the list of what ${what} is not the one that was signed`);
  return {
    value: { kind: 'erasure', body, versions, derived },
    lines: [
      `Verified: the custodian erased ${versions.length} versions; ${derived.length} that were made of them stay`,
      ...versions.map(({ artifact, version, manifest }) => `  erased: ${artifact}:${version} (manifest ${manifest})`),
      ...derived.map(({ artifact, version, manifest }) => `  stays: ${artifact}:${version} (manifest ${manifest})`),
    ],
  };
}

/** What the custodian says in a report. */
function word<Name extends 'erasure' | 'member-erasure'>(name: Name, report: unknown, keyring: Keyring) {
  try {
    const read = readStatement(name, parseEnvelope(report));
    const { body } = verifyStatement(read, namedSigner(read, keyring)?.keys ?? []);
    if (body.org === keyring.org) return body;
  } catch (error) {
    if (!(error instanceof KeyringError)) throw error;
    throw wrong('the custodian did not sign this report', error);
  }
  throw wrong('this report is another organisation’s');
}

function isListed({ count, digest }: ErasureStatement['versions'], list: readonly ErasedVersion[]): boolean {
  return list.length === count && sha256Hex(canonicalBytes([...list])) === digest;
}

function wrong(message: string, cause?: unknown): CliError {
  return new CliError('check-failed', message, { cause, next: 'keep the file, and get it again from where it came' });
}

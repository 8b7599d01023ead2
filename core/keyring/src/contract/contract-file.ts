import { canonicalBytes, canonicalJson, fromUtf8 } from '@ringfence/base';
import { statementDigest, type Envelope, type SigningKey } from '@ringfence/crypto/sign';
import { contractFile, contractOffer, MOST_CONTRACT_FILE } from '@ringfence/protocol/federation';
import type { ContractFile, ContractOffer } from '@ringfence/protocol/federation';
import type { Contract } from '@ringfence/protocol/statements';
import type { z } from 'zod';
import { KeyringError } from '../keyring-error.ts';
import { parseEnvelope, readStatement, signStatement, statementType, type Unverified } from '../statement.ts';

/** The contract file in `bytes`; throws KeyringError `malformed`. Nothing in it is verified. */
export function readContractFile(bytes: Uint8Array): ContractFile {
  return readJson(bytes, contractFile);
}

/** The offer in `bytes`; throws KeyringError `malformed`. Nothing in it is verified. */
export function readContractOffer(bytes: Uint8Array): ContractOffer {
  return readJson(bytes, contractOffer);
}

/** The text of a contract file or an offer: canonical JSON and a newline. Throws KeyringError `malformed` where it is too long to be read again. */
export function writeContractFile(file: ContractFile | ContractOffer): string {
  const text = `${canonicalJson(file)}\n`;
  if (Buffer.byteLength(text) > MOST_CONTRACT_FILE) throw tooLong();
  return text;
}

/** What a contract file says, as yet by nobody's word; throws KeyringError `malformed`. */
export function readContract(file: ContractFile): Unverified<'contract'> {
  return readStatement('contract', file.contract);
}

/** `contract` as nobody signed it yet, with the keyrings of its parties. Throws KeyringError `malformed`. */
export function draftContract(contract: Contract, keyrings: ContractFile['keyrings']): ContractFile {
  const payload = Buffer.from(canonicalBytes(contract)).toString('base64');
  const draft = parseFile({
    v: 1,
    contract: { payloadType: statementType('contract'), payload, signatures: [] },
    keyrings,
  });
  readContract(draft);
  return draft;
}

/** `file` with one more signature; throws KeyringError `malformed` for bytes that are not canonical. */
export function signContract(file: ContractFile, key: SigningKey): ContractFile {
  const signed = signStatement('contract', readContract(file).claimed, [key]);
  if (signed.payload !== file.contract.payload) throw malformed();
  return mergeContractFiles(file, parseFile({ ...file, contract: { ...signed } }));
}

/**
 * Both copies' signatures under the same bytes, and of each keyring the longer copy. Throws KeyringError `other-contract` for other bytes, `broken-chain` where
 * two copies of a keyring are not one chain.
 */
export function mergeContractFiles(one: ContractFile, two: ContractFile): ContractFile {
  if (one.contract.payload !== two.contract.payload)
    throw new KeyringError('other-contract', 'these are copies of two different contracts', {
      next: 'see `ringfence contract diff`',
    });
  const signatures = new Map(
    [...one.contract.signatures, ...two.contract.signatures].map((signed) => [`${signed.keyid} ${signed.sig}`, signed]),
  );
  const sorted = [...signatures].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, signed]) => signed);
  const orgs = new Set([...one.keyrings, ...two.keyrings].map(({ org }) => org));
  const keyrings = [...orgs].toSorted().map((org) => ({
    org,
    statements: longer(statementsOf(one, org), statementsOf(two, org)),
  }));
  return parseFile({ v: 1, contract: { ...one.contract, signatures: sorted }, keyrings });
}

/** A party's keyring as the file has it. */
export function statementsOf(file: ContractFile, org: string): readonly Envelope[] {
  return file.keyrings.find((keyring) => keyring.org === org)?.statements ?? [];
}

/** The longer copy of one chain. Throws KeyringError `broken-chain`. */
export function longer(one: readonly Envelope[], two: readonly Envelope[]): readonly Envelope[] {
  const [short, long] = one.length <= two.length ? [one, two] : [two, one];
  for (const [at, envelope] of short.entries()) {
    const other = long[at];
    if (other === undefined || statementDigest(envelope) !== statementDigest(other))
      throw new KeyringError('broken-chain', 'two copies of a keyring are not one chain', {
        next: 'ask that organisation which one is true before going on',
      });
  }
  return long;
}

function readJson<Schema extends z.ZodType>(bytes: Uint8Array, schema: Schema): z.output<Schema> {
  if (bytes.length > MOST_CONTRACT_FILE) throw tooLong();
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes));
  } catch (error) {
    throw malformed(error);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw malformed(parsed.error);
  return parsed.data;
}

function parseFile(file: { v: 1; contract: Envelope; keyrings: readonly object[] }): ContractFile {
  parseEnvelope(file.contract);
  const parsed = contractFile.safeParse(file);
  if (!parsed.success) throw malformed(parsed.error);
  return parsed.data;
}

function tooLong(): KeyringError {
  return new KeyringError('malformed', `a contract file has at most ${MOST_CONTRACT_FILE} bytes`);
}

function malformed(cause?: unknown): KeyringError {
  return new KeyringError('malformed', 'not a well-formed contract file', { cause });
}

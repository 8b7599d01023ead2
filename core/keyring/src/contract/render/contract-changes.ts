import type { ContractFile } from '@ringfence/protocol/federation';
import { readContract } from '../contract-file.ts';
import { contractFields } from './contract-fields.ts';

/** A value that another contract has otherwise, or not at all. */
export interface ContractChange {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Where two contracts differ, in the order of the document. Any difference makes another contract, which every party has to sign. Throws KeyringError `malformed`. */
export function contractChanges(before: ContractFile, after: ContractFile): ContractChange[] {
  const [old, young] = [before, after].map(
    (file) => new Map(contractFields(readContract(file).claimed).map(({ path, value }) => [path, value])),
  );
  const paths = new Set([...(young?.keys() ?? []), ...(old?.keys() ?? [])]);
  return [...paths].flatMap((path) => {
    const change = { path, before: old?.get(path), after: young?.get(path) };
    return change.before === change.after ? [] : [change];
  });
}

import { CustodianError, type KekErrorCode } from '../../custodian-error.ts';

/** Whether it is an error of `kekError`. */
export function isKekError(error: unknown): error is CustodianError & { readonly code: KekErrorCode } {
  return error instanceof CustodianError && error.code.startsWith('kek-');
}

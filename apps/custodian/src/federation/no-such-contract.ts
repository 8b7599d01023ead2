import { CustodianError } from '../custodian-error.ts';

/** What who asks for a contract that is not kept here is told. */
export function noSuchContract(): CustodianError {
  return new CustodianError('not-found', 'there is no such contract here', {
    next: 'see `ringfence contract ls`; `ringfence contract sign FILE` keeps one',
  });
}

import { region } from '@ringfence/protocol';
import { parseHourlyPrice } from '@ringfence/protocol/job-file';
import type { Offer } from '@ringfence/protocol/messages';
import { AgentError } from '../agent-error.ts';

/** What a machine's operator says of it beyond what it is: where it stands, what it costs, whether it may be taken away. */
export type OfferTerms = Pick<Offer, 'region' | 'price' | 'spot'>;

/** Reads the flags of an offer's terms; throws AgentError `bad-config`. */
export function offerTerms(given: {
  readonly region: string | undefined;
  readonly price: string | undefined;
  readonly spot: boolean;
}): OfferTerms {
  const price = given.price === undefined ? undefined : parseHourlyPrice(given.price.replace(/ ?([A-Z]{3})$/, ' $1'));
  if (given.price !== undefined && price === undefined)
    throw bad('--price is not a price an hour', 'write it as 1.20EUR');
  if (given.region !== undefined && !region.safeParse(given.region).success)
    throw bad('--region is not the name of a place', 'write up to 32 of a-z, 0-9 and -: eu-west-1');
  return {
    ...(given.region === undefined ? {} : { region: given.region }),
    ...(price === undefined ? {} : { price }),
    ...(given.spot ? { spot: true } : {}),
  };
}

function bad(message: string, next: string): AgentError {
  return new AgentError('bad-config', message, { next });
}

import type { EndpointRow } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { Session } from '../session.ts';

/** The endpoint called `name`, and the issuer that its callers pin. Throws CliError `not-found`, with the nearest name. */
export async function whichEndpoint(
  { custodian }: Pick<Session, 'custodian'>,
  name: string,
): Promise<{ readonly row: EndpointRow; readonly issuer: string }> {
  const { endpoints, issuer } = await custodian.endpoints();
  const row = endpoints.find((endpoint) => endpoint.name === name);
  if (row === undefined)
    throw new CliError('not-found', `no endpoint is called ${name}`, {
      next: didYouMean(
        name,
        endpoints.map((endpoint) => endpoint.name),
        'see `ringfence endpoint ls`',
      ),
    });
  return { row, issuer };
}

/** Addresses by which callers on the network reach an endpoint; none when no gateway listens. */
export function addressesOf({ name, gateways }: EndpointRow): string[] {
  return gateways.flatMap(({ listens }) => (listens === null ? [] : [`https://${listens}/${name}/`]));
}

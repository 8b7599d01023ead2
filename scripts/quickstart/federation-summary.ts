import type { FederationRun } from './federation.ts';

/** What happened in the federation, what it proves, and what it does not. */
export function aboutFederation({ sites, rounds, inSum, privacy, compared, frames, problems }: FederationRun): string {
  const { heldOut, federated, alone, aloneWithoutNoise, pooled } = compared;
  return `
Federation  ${sites.length} organisations, each with its own custodian, keys and rows; ${rounds} rounds, ${inSum} in each sum, made by a fourth that saw sums alone
Privacy     of each row: epsilon ${epsilon(privacy.outsiders)} against outsiders, ${epsilon(privacy.member)} against one curious member, ${epsilon(privacy.others)} against all others
            together, at delta ${privacy.delta}; ${privacy.grade} by the agents and debited by each custodian before each round
Accuracy    on ${heldOut} rows that no site has:
              federated, with that privacy              ${share(federated)}
              a site alone, with that privacy           ${share(alone)}  (mean; trained here for comparison, as below)
              a site alone, without any                 ${share(aloneWithoutNoise)}  (mean)
              all rows in one place, without any        ${share(pooled)}
What left   a masked vector a round from each site to the aggregator; to the control plane ${frames} control frames, decoded and sealed again: equal
Not hidden  that these sites train together and when; the sums themselves. All run on one machine here: in earnest each on its own
${problems.length === 0 ? '' : `Problems    ${problems.join('; ')}\n`}
`;
}

function epsilon(value: number | null | undefined): string {
  return value === null || value === undefined ? 'without bound' : value.toFixed(2);
}

function share(value: number): string {
  return value.toFixed(3);
}

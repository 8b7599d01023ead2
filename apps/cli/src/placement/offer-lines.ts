import { formatSize } from '@ringfence/base';
import type { OfferView } from '@ringfence/protocol/api';
import type { NameOf } from './explanation-lines.ts';
import { momentText } from './moment-text.ts';

type Offered = NonNullable<OfferView['offered']>;

/** Whether an offer gets jobs, in a word or two. */
export function stateText({ offered, online, locked, draining }: OfferView): string {
  if (offered === null) return 'quarantined';
  if (locked) return 'locked';
  const here = online ? 'online' : 'offline';
  const more = [...(draining ? ['draining'] : []), ...(offered.diskFull ? ['disk full'] : [])];
  return [here, ...more].join(', ');
}

/** What an offer costs an hour. */
export function priceText({ price, tier, spot }: Offered): string {
  const of = price === null ? (tier === 'private' ? 'own' : 'unknown') : `${price.microUnits / 1e6} ${price.currency}`;
  return spot ? `${of}, spot` : of;
}

/** Everything that placement reads of an offer, for people. */
export function offerLines(view: OfferView, nameOf: NameOf): string[] {
  const { offer, agent, offered, quarantined } = view;
  const head = `${nameOf(agent)} (${offer}): ${stateText(view)}`;
  if (offered === null) return [head, ...quarantined.map(({ field, fault }) => `  gets no jobs: ${field}: ${fault}`)];
  const { tier, region, jurisdictions, isolations, tees, evidence, gpus } = offered;
  const within = jurisdictions.length === 0 ? 'unknown law' : jurisdictions.join(', ');
  return [
    head,
    `  place      ${tier}, region ${region}, ${within}`,
    `  isolation  ${isolations.join(', ')}${tees.length === 0 ? '' : `; TEE ${tees.join(', ')}`}${offered.hardLimits ? '' : '; limits are watched, not enforced'}`,
    `  evidence   ${evidence.length === 0 ? 'none' : evidence.map(claimText).join('; ')}`,
    `  price      ${priceText(offered)}`,
    `  speed      ${offered.speed}, kept ${(100 * offered.reliability).toFixed(1)} % of what it began`,
    `  free       ${offered.freeCpuMilli / 1000} CPU, ${formatSize(offered.freeMemoryBytes)}, disk ${formatSize(offered.freeDiskBytes)}`,
    ...gpus.map(
      ({ model, memoryBytes, count, free }) =>
        `  gpu        ${model} ${formatSize(memoryBytes)}: ${free} of ${count} free`,
    ),
  ];
}

function claimText({ standard, grade, notAfter }: Offered['evidence'][number]): string {
  return `${standard} (${grade}) until ${momentText(notAfter).slice(0, 10)}`;
}

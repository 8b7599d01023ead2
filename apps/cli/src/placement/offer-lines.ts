import { formatSize, type EpochMs } from '@ringfence/base';
import type { AvoidanceReason, OfferView } from '@ringfence/protocol/api';
import type { NameOf } from './explanation-lines.ts';
import { momentText } from './moment-text.ts';

type Offered = NonNullable<OfferView['offered']>;

/** Whether an offer gets jobs, in a word or two. */
export function stateText(view: OfferView): string {
  const { offered, online, locked, draining, cordoned, admittedUntil, avoided } = view;
  if (offered === null) return 'quarantined';
  if (locked) return admittedUntil === 0 ? 'admission ended' : avoided === null ? 'locked' : 'avoided';
  const here = online ? 'online' : 'offline';
  const more = [
    ...(draining ? ['draining'] : []),
    ...(cordoned === true ? ['to be given back'] : []),
    ...(offered.diskFull ? ['disk full'] : []),
  ];
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
    ...barredLines(view),
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

const AVOIDED_FOR: Readonly<Record<AvoidanceReason, string>> = {
  refuses: 'its agent refused too many attempts in a row',
  'ignores-stop': 'its agent did not stop when it was told to',
  'outlives-lease': 'its agent runs on without a lease',
};

/** Until when a provider's machine gets jobs, and why one that ought to gets none. */
function barredLines({ locked, admittedUntil, avoided }: OfferView): string[] {
  return [
    ...(admittedUntil === null ? [] : [`  admission  ${admissionText(admittedUntil)}`]),
    ...(avoided === null || !locked
      ? []
      : [`  gets no jobs until ${momentText(avoided.until)}: ${AVOIDED_FOR[avoided.reason]}`]),
  ];
}

function admissionText(until: EpochMs): string {
  return until === 0 ? 'ended: it gets no jobs' : `until ${momentText(until).slice(0, 10)}`;
}

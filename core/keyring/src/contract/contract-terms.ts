import type { EpochMs } from '@ringfence/base';
import { numberOf, type ModelSpec } from '@ringfence/protocol/federation';
import type { Contract, ContractClient } from '@ringfence/protocol/statements';
import { CLOCK_SKEW_MS } from '../chain/keyring.ts';
import { faultsOf, type ContractFault } from './contract-fault.ts';
import { countGroups, countWithAggregator } from './counted-groups.ts';

/** What is wrong with a contract whoever signed it, at `now`. */
export function contractTermFaults(contract: Contract, now: EpochMs): ContractFault[] {
  return [...partyFaults(contract), ...privacyFaults(contract), ...codeFaults(contract), ...timeFaults(contract, now)];
}

function timeFaults({ at, notAfter }: Contract, now: EpochMs): ContractFault[] {
  return faultsOf([
    ['post-dated', at <= now + CLOCK_SKEW_MS],
    ['expired', now < notAfter && at < notAfter],
  ]);
}

function partyFaults(contract: Contract): ContractFault[] {
  const { parties, clients, aggregator, outputs, minOrganisations, secureAggregation } = contract;
  const named = new Set(parties.map(({ org }) => org));
  const agents = [...clients, aggregator];
  const known = [...agents.map(({ org }) => org), ...outputs.flatMap(({ recipients }) => recipients)];
  return [
    ...faultsOf([
      [
        'party-twice',
        [parties.map(({ org }) => org), parties.map(({ root }) => root), parties.map(nameOf)].every(isUnique),
      ],
      ['party-unknown', agents.every(({ org }) => named.has(org)) && parties.every(({ org }) => known.includes(org))],
      [
        'agent-twice',
        isUnique(agents.map(({ agent }) => agent)) && isUnique(agents.flatMap(({ sign, tls }) => [sign, tls])),
      ],
      ['dataset-twice', isUnique(clients.map(({ dataset }) => dataset.artifact))],
      ['too-few-organisations', countGroups(contract) >= minOrganisations],
      // A threshold that fewer colluders are assumed for is one that they reach together.
      ['colluders', countWithAggregator(contract) <= Math.floor(numberOf(secureAggregation.corrupt) * clients.length)],
      ['aggregator-route', aggregator.relay !== null || aggregator.lan !== null],
    ]),
    ...outputs.flatMap(({ recipients }) =>
      faultsOf([['recipient-unknown', isUnique(recipients) && recipients.every((org) => named.has(org))]]),
    ),
  ];
}

function privacyFaults({ privacy, code, clients, evaluation, robustness }: Contract): ContractFault[] {
  const { unit, grade, noise, budget } = privacy;
  return faultsOf([
    ['honest-minimum', noise === null || noise.honestMin <= clients.length],
    ['noise-without-budget', noise === null || budget !== null],
    ['budget-without-noise', budget === null || noise !== null],
    // Only our trainer clips what one row or one person adds.
    ['grade-of-own-code', grade === 'declared' || code.kind === 'embedded' || unit.kind === 'organisation'],
    ['sample-rate', noise === null || unit.kind !== 'organisation' || noise.sampleRate === '1'],
    // The noise hides one contribution of an organisation, and each client makes one.
    ['organisation-twice', noise === null || unit.kind !== 'organisation' || isUnique(clients.map(({ org }) => org))],
    // Its figures are summed without noise: they would tell what the noise hides.
    ['evaluation-with-noise', noise === null || evaluation === undefined],
    // Where noise is, each contribution is clipped already.
    ['robustness-with-noise', noise === null || robustness === undefined],
  ]);
}

function codeFaults({ code, clients, evaluation, privacy: { unit } }: Contract): ContractFault[] {
  const person = unit.kind === 'person' ? [unit.column] : [];
  // Own code parts its rows itself.
  const held = faultsOf([
    ['held-out', evaluation === undefined || (evaluation.heldOut === undefined) === (code.kind === 'own')],
  ]);
  if (code.kind === 'own') return [...held, ...clients.flatMap((client) => columnFaults(client, person))];
  const { model, data } = code;
  const read = [...data.features.map(({ column }) => column), data.label];
  const shaped =
    inputsOf(model) === data.features.length &&
    model.classes === data.classes.length &&
    isUnique(data.classes) &&
    isUnique(read);
  const columns = [...read, ...person];
  return [
    ...held,
    ...faultsOf([['model-shape', shaped]]),
    ...clients.flatMap((client) => columnFaults(client, columns)),
  ];
}

function columnFaults({ org, dataset }: ContractClient, columns: readonly string[]): ContractFault[] {
  const has = new Set(dataset.columns);
  return faultsOf([['columns-missing', columns.every((column) => has.has(column)), org]]);
}

function inputsOf(model: ModelSpec): number {
  return model.kind === 'cnn' ? model.height * model.width * model.channels : model.inputs;
}

/** As people read it: two that differ in case or width alone are one. */
function nameOf({ name }: Contract['parties'][number]): string {
  return name.normalize('NFKC').toLowerCase();
}

function isUnique(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}

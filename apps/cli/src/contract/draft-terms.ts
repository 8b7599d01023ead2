import { resolve } from 'node:path';
import { epochMs, toBase64Url, type EpochMs, type Rng } from '@ringfence/base';
import { countWithAggregator } from '@ringfence/keyring';
import { decimalOf, type ContractOffer, type ContractPlan } from '@ringfence/protocol/federation';
import type { Contract, ContractCode } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { codeOfFolder } from './code-of-folder.ts';
import { DEFAULT_BATCH, planPrivacy } from './plan-terms.ts';

const DEFAULT_ROUND_MS = 600_000;
const DEFAULT_VALID_MS = 90 * 86_400_000;
const [ZERO, ONE, TENTH, FIFTH] = [decimalOf(0), decimalOf(1), decimalOf(0.1), decimalOf(0.2)];

/** The contract that a plan and these offers make. `base`: the folder that the plan's paths are below. Throws CliError `usage`, `bad-file`, FlError `bad-parameters`. */
export function draftTerms(
  plan: ContractPlan,
  offers: readonly ContractOffer[],
  { rng, now, base }: { rng: Rng; now: EpochMs; base: string },
): Contract {
  const clients = offers.flatMap((offer) => offer.clients);
  const code = codeOf(plan, { columns: clients[0]?.dataset.columns ?? [], base });
  const parties = offers.map(({ party }) => party);
  const aggregator = aggregatorOf(offers);
  return {
    v: 1,
    name: plan.name ?? '',
    salt: toBase64Url(rng.bytes(32)),
    purpose: plan.purpose ?? '',
    parties,
    clients,
    aggregator,
    code,
    strategy: strategyOf(plan),
    rounds: { count: plan.rounds.count ?? 1, longestMs: plan.rounds.longest ?? DEFAULT_ROUND_MS },
    ...evaluationOf(plan, code),
    ...(plan.update_norm === undefined ? {} : { robustness: { updateNorm: plan.update_norm } }),
    minOrganisations: plan.min_organisations ?? 3,
    secureAggregation: {
      corrupt: plan.secure_aggregation?.corrupt ?? leastCorrupt(clients, aggregator),
      dropout: plan.secure_aggregation?.dropout ?? TENTH,
    },
    ...planPrivacy(plan, code, clients),
    outputs: [{ what: 'model', artifact: plan.output ?? `${plan.name}-model`, recipients: recipientsOf(plan, offers) }],
    withdrawal: plan.withdrawal ?? 'stop',
    at: now,
    notAfter: epochMs(now + (plan.valid ?? DEFAULT_VALID_MS)),
  };
}

/** Own code parts its rows itself; the embedded trainer holds a fifth out unless the plan says otherwise. */
function evaluationOf({ evaluation }: ContractPlan, { kind }: ContractCode): Pick<Contract, 'evaluation'> {
  if (evaluation === undefined) return {};
  const { every = 1, held_out = kind === 'own' ? undefined : FIFTH, stop } = evaluation;
  const { metric = 'loss', patience = 1, min_delta: minDelta = ZERO } = stop ?? {};
  return {
    evaluation: {
      every,
      ...(held_out === undefined ? {} : { heldOut: held_out }),
      ...(stop === undefined ? {} : { stop: { metric, patience, minDelta } }),
    },
  };
}

function aggregatorOf(offers: readonly ContractOffer[]): Contract['aggregator'] {
  const [first, ...others] = offers.flatMap(({ aggregator }) => aggregator ?? []);
  if (first !== undefined && others.length === 0) return first;
  throw new CliError('usage', 'exactly one of the offers has to offer an aggregator', {
    next: 'one organisation: ringfence contract offer --aggregator AGENT …',
  });
}

/** A tenth, or the least part in hundredths that has room for all clients of the aggregator's organisation; a tenth too where there is none below one half. */
function leastCorrupt(
  clients: Contract['clients'],
  aggregator: Contract['aggregator'],
): Contract['secureAggregation']['corrupt'] {
  const own = countWithAggregator({ clients, aggregator });
  for (let hundredths = 10; hundredths < 50; hundredths += 1)
    if (Math.floor((hundredths / 100) * clients.length) >= own) return decimalOf(hundredths / 100);
  return TENTH;
}

function recipientsOf({ recipients }: ContractPlan, offers: readonly ContractOffer[]): Contract['parties'][0]['org'][] {
  if (recipients === undefined) return offers.flatMap(({ party, clients }) => (clients.length > 0 ? [party.org] : []));
  return recipients.map((name) => {
    const found = offers.filter(({ party }) => party.name === name);
    const [one] = found;
    if (one !== undefined && found.length === 1) return one.party.org;
    throw new CliError('usage', 'a recipient is named that none of the offers, or more than one, is of', {
      next: 'name parties as their offers do',
    });
  });
}

function codeOf(plan: ContractPlan, { columns, base }: { columns: readonly string[]; base: string }): ContractCode {
  const { own, training } = plan;
  if (own !== undefined) {
    const { parameters = 1, code = '.', run = '', setup, image, python } = own;
    const optional = { ...(setup && { setup }), ...(image && { image }), ...(python && { python }) };
    return { kind: 'own', parameters, digest: codeOfFolder(resolve(base, code)), run, ...optional };
  }
  const data = dataOf(plan, columns);
  return {
    kind: 'embedded',
    model: modelOf(plan, data),
    data,
    training: {
      epochs: training?.epochs ?? 1,
      batchSize: training?.batch ?? DEFAULT_BATCH,
      learningRate: training?.rate ?? TENTH,
    },
  };
}

type Embedded = Extract<ContractCode, { kind: 'embedded' }>;

/** Without a list of features: every column of the first dataset but the label and whose row it is. */
function dataOf({ data, privacy }: ContractPlan, columns: readonly string[]): Embedded['data'] {
  const { file = '', label = '', classes = [] } = data ?? {};
  const features =
    data?.features ??
    columns.filter((column) => column !== label && column !== privacy.column).map((column) => ({ column }));
  if (features.length === 0)
    throw new CliError('usage', 'no columns are known to train on', {
      next: 'list them in the plan’s data.features, or make offers with --columns',
    });
  return {
    file,
    label,
    classes: [...classes],
    features: features.map((feature) => ({
      column: feature.column ?? '',
      subtract: ('subtract' in feature ? feature.subtract : undefined) ?? ZERO,
      divide: ('divide' in feature ? feature.divide : undefined) ?? ONE,
    })),
  };
}

function modelOf({ model = {} }: ContractPlan, { features, classes }: Embedded['data']): Embedded['model'] {
  const [inputs, count] = [features.length, classes.length];
  const hidden = model.hidden?.map(({ value }) => value) ?? [32];
  if (model.kind === 'mlp')
    return { kind: 'mlp', inputs, hidden, activation: model.activation ?? 'tanh', classes: count };
  if (model.kind !== 'cnn') return { kind: 'softmax', inputs, classes: count };
  const { height = 28, width = 28, channels = 1, filters } = model;
  const [first = 16, second = 32] = filters?.map(({ value }) => value) ?? [];
  return { kind: 'cnn', height, width, channels, filters: [first, second], hidden: hidden[0] ?? 32, classes: count };
}

function strategyOf({ strategy = {} }: ContractPlan): Contract['strategy'] {
  const { kind = 'fedavg', rate = ONE, momentum = ZERO, mu = decimalOf(0.01), tau = decimalOf(0.001) } = strategy;
  const { beta1 = decimalOf(0.9), beta2 = decimalOf(0.99) } = strategy;
  switch (kind) {
    case 'fedavg':
      return { kind, rate, momentum };
    case 'fedprox':
      return { kind, rate, mu };
    case 'fedadam':
    case 'fedyogi':
      return { kind, rate, beta1, beta2, tau };
    case 'fedadagrad':
      return { kind, rate, tau };
  }
}

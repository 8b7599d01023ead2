import type { AgentId } from '@ringfence/base';
import type { ContractOfferAnswer, ContractOfferRequest } from '@ringfence/protocol/payload';
import { findVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { ownersOfDataset } from '../release/dataset-owners.ts';
import { AGENT_PLACE } from '../store/sealed-columns.ts';
import type { Tx } from '../store/open-store.ts';

/** What others need to know of this organisation to draft a contract with it. Throws CustodianError `not-found`. */
export async function offerContract(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { clients, aggregator }: ContractOfferRequest,
): Promise<ContractOfferAnswer> {
  const { org, keyring } = claimed;
  return context.store.withOrg(
    org,
    async (tx) => {
      const statements = await tx.selectFrom('keyring_statement').select('envelope').orderBy('seq').execute();
      const { seq, digest } = keyring.head;
      const offered = [];
      for (const client of clients)
        offered.push({
          ...agentNamed(claimed, client.agent),
          dataset: await datasetOf(context, tx, claimed, client),
        });
      return {
        party: { org, root: keyring.root, keyring: { seq, digest } },
        keyring: statements.map(({ envelope }) => envelope).slice(0, seq + 1),
        clients: offered,
        ...(aggregator === undefined ? {} : { aggregator: await aggregatorOf(context, tx, claimed, aggregator) }),
      };
    },
    { readOnly: true },
  );
}

async function datasetOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { dataset: name, version }: ContractOfferRequest['clients'][number],
): Promise<ContractOfferAnswer['clients'][number]['dataset']> {
  const found = await findVersion(context, tx, claimed, { name, version });
  const manifest = found?.pack?.manifest ?? found?.place?.manifest;
  if (found?.kind !== 'dataset' || manifest === undefined)
    throw new CustodianError('not-found', 'there is no such dataset here', { next: 'see `ringfence dataset ls`' });
  const { artifact, sensitivity } = found;
  const [owner] = await ownersOfDataset(context, tx, claimed, artifact);
  if (owner === undefined)
    throw new CustodianError('not-found', 'nobody owns this dataset, and so nobody could sign for it', {
      next: 'name an owner: `ringfence dataset add NAME --owner DEVICE`',
    });
  return { artifact, name, version: found.version, manifest, sensitivity, owner };
}

async function aggregatorOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  agent: AgentId,
): Promise<NonNullable<ContractOfferAnswer['aggregator']>> {
  const named = agentNamed(claimed, agent);
  const row = await tx.selectFrom('agent').select('place_box').where('agent', '=', agent).executeTakeFirst();
  const lan = row === undefined ? null : context.columns.open(AGENT_PLACE, agent, row.place_box).lan;
  return { ...named, relay: context.route().relay, lan };
}

function agentNamed({ org, keyring }: ClaimedOrganisation, agent: AgentId) {
  const entry = keyring.agent(agent);
  if (entry === undefined)
    throw new CustodianError('not-found', 'there is no such agent in the keyring', {
      next: 'see `ringfence agent ls`',
    });
  const { site, sign, tls } = entry;
  return { org, agent, site, sign, tls };
}

import { plainText } from '@ringfence/protocol/federation';
import { writeContractFile } from '@ringfence/keyring';
import { CliError } from '../cli-error.ts';
import { text, texts, type Command, type Flags } from '../command.ts';
import { columnsIn, columnsOf, makeOffer, type OfferWishes } from '../contract/make-offer.ts';
import { writeNewFile } from '../new-file.ts';
import { withSession } from '../session.ts';

export const command: Command = {
  usage:
    '--name NAME [--dataset DATASET[@VERSION] --agent AGENT (--columns a,b,c | --columns-from FILE.csv)]… [--aggregator AGENT] [--out FILE]',
  summary: 'write what others need to know of this organisation, its agents and datasets to draft a contract with it',
  options: {
    name: { type: 'string' },
    dataset: { type: 'string', multiple: true },
    agent: { type: 'string', multiple: true },
    columns: { type: 'string', multiple: true },
    'columns-from': { type: 'string', multiple: true },
    aggregator: { type: 'string' },
    out: { type: 'string' },
  },
  words: [0, 0],
  async run(context, _words, flags) {
    const wishes = wishesOf(flags, `ringfence contract offer ${this.usage}`);
    const offer = await withSession(context, (session) => makeOffer(session, wishes));
    const [out, content] = [text(flags, 'out'), writeContractFile(offer)];
    if (out === undefined) return context.terminal.raw(content);
    writeNewFile(out, content);
    context.terminal.value({ file: out, org: offer.party.org, datasets: offer.clients.length });
    context.terminal.line(`${out}: ${offer.party.name}, ${offer.clients.length} datasets`);
  },
};

function wishesOf(flags: Flags, next: string): OfferWishes {
  const name = plainText(64).safeParse(text(flags, 'name'));
  const [datasets, agents, aggregator] = [texts(flags, 'dataset'), texts(flags, 'agent'), text(flags, 'aggregator')];
  if (!name.success) throw new CliError('usage', '--name is how the contract calls this organisation', { next });
  if (datasets.length !== agents.length)
    throw new CliError('usage', 'each dataset is offered at one agent: as many --agent as --dataset', { next });
  if (datasets.length === 0 && aggregator === undefined)
    throw new CliError('usage', 'an offer is of a dataset, or of an aggregator', { next });
  const columns = [...texts(flags, 'columns').map(columnsOf), ...texts(flags, 'columns-from').map(columnsIn)];
  if (columns.length > 1 && columns.length !== datasets.length)
    throw new CliError('usage', 'columns are given once for all datasets, or once for each', { next });
  const clients = datasets.map((dataset, index) => ({
    dataset,
    agent: agents[index] ?? '',
    columns: columns[index] ?? columns[0] ?? [],
  }));
  return { name: name.data, clients, aggregator };
}

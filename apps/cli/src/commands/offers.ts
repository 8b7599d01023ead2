import { formatSize } from '@ringfence/base';
import type { OfferView } from '@ringfence/protocol/api';
import type { Command } from '../command.ts';
import { namesOfAgents } from '../placement/names-of-agents.ts';
import { offerLines, priceText, stateText } from '../placement/offer-lines.ts';
import { withSession } from '../session.ts';
import { tableOr } from '../terminal.ts';

const NONE = 'no offers yet: a server makes one when it has joined; see `ringfence agent ls`';

export const command: Command = {
  usage: '[--explain]',
  summary: 'what jobs could be placed on; --explain: everything that placement reads of each, and why some get no jobs',
  options: { explain: { type: 'boolean' } },
  words: [0, 0],
  async run(context, _words, flags) {
    await withSession(context, async (session) => {
      const offers = await session.controlPlane.offers();
      context.terminal.value({ offers });
      if (context.terminal.json) return;
      const nameOf = await namesOfAgents(session);
      if (flags['explain'] === true)
        for (const offer of offers) context.terminal.line(offerLines(offer, nameOf).join('\n'));
      else
        context.terminal.line(
          tableOr(
            NONE,
            HEAD,
            offers.map((offer) => cells(offer, nameOf(offer.agent))),
          ),
        );
    });
  },
};

const HEAD = ['SERVER', 'TIER', 'REGION', 'STATE', 'PRICE', 'FREE CPUS', 'FREE MEMORY', 'OFFER'];

function cells({ offered, ...offer }: OfferView, name: string): string[] {
  const state = stateText({ ...offer, offered });
  if (offered === null) return [name, '', '', state, '', '', '', offer.offer];
  const { tier, region, freeCpuMilli, freeMemoryBytes } = offered;
  return [
    name,
    tier,
    region,
    state,
    priceText(offered),
    `${freeCpuMilli / 1000}`,
    formatSize(freeMemoryBytes),
    offer.offer,
  ];
}

import { dirname } from 'node:path';
import { contractTermFaults, draftContract, writeContractFile } from '@ringfence/keyring';
import { parsePlanFile } from '@ringfence/protocol/federation';
import { CliError } from '../cli-error.ts';
import { text, texts, type Command } from '../command.ts';
import { digestOf, faultLines } from '../contract/contract-lines.ts';
import { offerAt } from '../contract/contract-path.ts';
import { draftTerms } from '../contract/draft-terms.ts';
import { readTextFile } from '../job/read-text-file.ts';
import { writeNewFile } from '../new-file.ts';

export const command: Command = {
  usage: 'PLAN.yaml --offer FILE… --out FILE',
  summary: 'write the contract that a plan and the parties’ offers make; nobody has signed it yet',
  options: { offer: { type: 'string', multiple: true }, out: { type: 'string' } },
  words: [1, 1],
  async run({ terminal, rng, clock }, [path = ''], flags) {
    const [files, out] = [texts(flags, 'offer'), text(flags, 'out')];
    if (files.length === 0 || out === undefined)
      throw new CliError('usage', 'a contract is drafted from offers, into a file', {
        next: `ringfence contract draft ${this.usage}`,
      });
    const plan = parsePlanFile(readTextFile(path, 'see docs/federation.md for what a plan says'));
    const offers = files.map(offerAt);
    const terms = draftTerms(plan, offers, { rng, now: clock.now(), base: dirname(path) });
    const faults = contractTermFaults(terms, clock.now());
    if (faults.length > 0) {
      const names = new Map<string, string>(terms.parties.map(({ org, name }) => [org, name]));
      throw new CliError('check-failed', `no such contract would hold: ${faultLines(faults, names).join('; ')}`, {
        next: 'change the plan, or ask for other offers',
      });
    }
    const keyrings = offers.map(({ party: { org }, keyring }) => ({ org, statements: keyring }));
    const file = draftContract(terms, keyrings);
    writeNewFile(out, writeContractFile(file));
    const { privacy, encoding } = terms;
    terminal.value({ file: out, contract: digestOf(file), privacy, encoding });
    terminal.line(`${out}: ${terms.name}, ${terms.parties.length} parties, SHA-256 ${digestOf(file)}`);
    terminal.line('read it: ringfence contract show FILE; each party: ringfence contract sign FILE');
  },
};

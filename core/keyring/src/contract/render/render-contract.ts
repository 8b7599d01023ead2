import type { ContractFile } from '@ringfence/protocol/federation';
import type { Contract } from '@ringfence/protocol/statements';
import { readContract } from '../contract-file.ts';
import { contractFields, type ContractField } from './contract-fields.ts';

/** What the parts of a contract are about; a new member of the statement does not type-check without one. */
const TITLES: Readonly<Record<keyof Contract, string>> = {
  v: 'Version of this form',
  name: 'Name',
  salt: 'Salt',
  purpose: 'Purpose',
  parties: 'Parties: who signs, and by which roots',
  clients: 'Clients: whose agents train on which data',
  aggregator: 'Aggregator: whose agent adds up what they send',
  code: 'Code: what trains',
  strategy: 'Strategy: how sums become the next model',
  rounds: 'Rounds',
  evaluation: 'Evaluation: when the model is tested, on what, and when that ends it',
  robustness: 'Robustness: how far one update may move the model',
  minOrganisations: 'Fewest organisations in a sum',
  secureAggregation: 'Secure aggregation: shares that may collude, or be gone',
  encoding: 'Encoding of updates',
  privacy: 'Privacy',
  outputs: 'Outputs, and who receives them',
  withdrawal: 'When a party withdraws',
  at: 'Drafted',
  notAfter: 'Ends',
};

interface Section {
  readonly title: string;
  readonly fields: readonly ContractField[];
}

/** A contract in words for the people who sign it, read from the bytes that are signed: every value, each with its place in the document. Throws KeyringError `malformed`. */
export function renderContractText(file: ContractFile): string {
  const { digest, sections } = sectionsOf(file);
  const lines = sections.flatMap(({ title, fields }) => [
    '',
    title,
    ...fields.map(({ path, value, note }) => `  ${path}: ${value}${note === undefined ? '' : `  (${note})`}`),
  ]);
  return ['Contract', `  SHA-256 of the signed bytes: ${digest}`, ...lines, ''].join('\n');
}

/** {@link renderContractText} as one HTML page that loads nothing. */
export function renderContractHtml(file: ContractFile): string {
  const { digest, name, sections } = sectionsOf(file);
  const rows = sections.map(
    ({ title, fields }) =>
      `<h2>${escaped(title)}</h2>\n<table>\n${fields
        .map(
          ({ path, value, note = '' }) =>
            `<tr><th>${escaped(path)}</th><td>${escaped(value)}</td><td>${escaped(note)}</td></tr>`,
        )
        .join('\n')}\n</table>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Contract ${escaped(name)}</title>
<style>
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1a1a1a }
h2 { font-size: 1.05rem; margin: 1.6rem 0 0.3rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: 0.15rem 0.6rem; border-top: 1px solid #ddd; overflow-wrap: anywhere }
td { white-space: pre-wrap }
th { font-weight: 500; width: 26%; color: #444 }
td:last-child { width: 26%; color: #444 }
</style>
</head>
<body>
<h1>Contract ${escaped(name)}</h1>
<p>SHA-256 of the signed bytes: <code>${digest}</code></p>
${rows.join('\n')}
</body>
</html>
`;
}

function sectionsOf(file: ContractFile) {
  const { claimed, digest } = readContract(file);
  const fields = contractFields(claimed);
  const sections: Section[] = Object.entries(TITLES).map(([key, title]) => ({
    title,
    fields: fields.filter(({ path }) => /^[a-zA-Z]+/.exec(path)?.[0] === key),
  }));
  // What a contract may leave out has no title either.
  return { digest, name: claimed.name, sections: sections.filter((section) => section.fields.length > 0) };
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

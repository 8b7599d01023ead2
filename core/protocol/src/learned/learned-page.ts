import { fieldsOf, type SchemaField } from '../schema-fields.ts';
import type { LearnedSource } from './learned-source.ts';
import { LEARNED_SOURCES, PARTS } from './learned-sources.ts';

const HEADING = `# What the control plane learns

Everything that an organisation’s clients, agents and custodian say to a control plane, field by field. This page is written from the schemas that the
code parses with (\`core/protocol\`); a test fails when a message or a field has no line here. What has another shape is refused, so this is all.

Never on this page, since no schema has a place for it: code, data, models, logs, metrics of jobs, results, commands, environment, images, names of jobs, datasets,
projects, people or machines, secrets, keys that open anything, hosts that a job may reach, tokens and requests of endpoints.
The canary test plants marker bytes in each of them and looks for them in all that a control plane holds.

## Without any field

| what | from |
|---|---|
| network addresses of custodians, agents and clients (behind a proxy: of the proxy) | their connections |
| when each of them is connected, when each message arrives, and so how long a job ran | the clock |
| sizes of frames: 512, 2,048 or 8,192 bytes, whatever is in them | the wire |
| the version of TLS and the ciphers that they offer, signatures and the nonces in them | the handshake |
| which device asks for what, when | signed requests (RFC 9421) carry the device’s id, the second and 16 random bytes |

How many bits a hostile job or agent could hide in all this is counted by \`ringfence wire verify\` ([control link](protocol/control-link.md)).
`;

/** The text of docs/what-the-control-plane-learns.md. */
export function learnedPage(): string {
  return [HEADING, ...LEARNED_SOURCES.flatMap(section)].join('\n');
}

/** Fields of a source that need a sentence: all but containers and what another section tells. */
export function fieldsToTell({ schema, what }: LearnedSource): SchemaField[] {
  const fields = fieldsOf(schema);
  return fields.filter(({ path }) => {
    const isContainer = fields.some(
      (other) => other.path.startsWith(`${path}.`) || other.path.startsWith(`${path}[].`),
    );
    return !isContainer && !PARTS.some((part) => part.see !== what && part.path.test(path));
  });
}

function section(source: LearnedSource): string[] {
  const { what, from, tells } = source;
  const lines = fieldsToTell(source).map(
    ({ path, values, optional }) =>
      `| \`${path}\` | ${values}${optional ? ', may be absent' : ''} | ${tells[path] ?? ''} |`,
  );
  const parts = PARTS.filter(
    (part) => part.see !== what && fieldsOf(source.schema).some(({ path }) => part.path.test(path)),
  );
  const beside =
    parts.length === 0 ? [] : [`Carries beside: ${[...new Set(parts.map(({ see }) => see))].join(', ')}.`, ''];
  return [
    `## ${what}`,
    '',
    `From: ${from}.`,
    '',
    ...beside,
    '| field | values | what it tells |',
    '|---|---|---|',
    ...lines,
    '',
  ];
}

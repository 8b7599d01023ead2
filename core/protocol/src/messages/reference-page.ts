import { fieldsOf } from '../schema-fields.ts';
import { MESSAGES, RESERVED, type MessageName } from './registry.ts';

const HEADING = `# Control messages

The closed set of messages that cross a control link ([control-link.md](control-link.md)). Nothing else does: a frame with another
number, sender, reader or shape ends the connection. This page is written from \`core/protocol/src/messages\`; a test fails when it is out of date.

*Sender* and *reader*: \`party\` is an agent or a custodian. *Signed*: carries its sender's Ed25519 signature, bound to the connection. *Durable*: kept until
acknowledged, processed once, in order; the others may be lost with a connection. *Transition*: pays for the 16 KiB that an attempt's transition allows.
`;

/** The text of docs/protocol/messages.md. */
export function messagesPage(): string {
  const names = Object.keys(MESSAGES) as MessageName[];
  const rows = names.map((name) => {
    const { number, sender, reader, signed, durable, transition, effect } = MESSAGES[name];
    const marks = [signed, durable, transition].map((mark) => (mark ? 'yes' : '-'));
    return `| ${hex(number)} | [${name}](#${name}) | ${[sender, reader, ...marks, effect].join(' | ')} |`;
  });
  const reserved = Object.entries(RESERVED).map(([name, number]) => `| ${hex(number)} | ${name} |`);
  return [
    HEADING,
    '| number | name | sender | reader | signed | durable | transition | what it can cause |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '\nNumbers kept for later releases; a frame that carries one is refused as unknown:\n',
    '| number | name |',
    '|---|---|',
    ...reserved,
    ...names.flatMap((name) => ['', `## ${name}`, '', ...fieldTable(name)]),
    '',
  ].join('\n');
}

function hex(number: number): string {
  return `\`0x${number.toString(16).padStart(4, '0')}\``;
}

function fieldTable(name: MessageName): string[] {
  const fields = fieldsOf(MESSAGES[name].schema);
  if (fields.length === 0) return ['No fields.'];
  const lines = fields.map(
    ({ path, values, optional }) => `| \`${path}\` | ${values}${optional ? ', may be absent' : ''} |`,
  );
  return ['| field | values |', '|---|---|', ...lines];
}

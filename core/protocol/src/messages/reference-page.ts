import { z } from 'zod';
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
  const schema = z.toJSONSchema(MESSAGES[name].schema) as Shape;
  const lines = fieldLines(schema, '');
  return lines.length === 0 ? ['No fields.'] : ['| field | values |', '|---|---|', ...lines];
}

/** The part of JSON Schema that the messages use. */
interface Shape {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly items?: Shape;
  readonly oneOf?: readonly Shape[];
  readonly anyOf?: readonly Shape[];
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

function fieldLines(shape: Shape, path: string): string[] {
  const choices = shape.oneOf ?? shape.anyOf;
  if (choices !== undefined && choices.every((choice) => choice.type === 'object'))
    return choices.flatMap((choice, index) => fieldLines(choice, `${path}(${index + 1}) `));
  const inner = (choices ?? []).find((choice) => choice.type === 'object') ?? shape;
  return Object.entries(inner.properties ?? {}).flatMap(([key, field]) => {
    const optional = inner.required?.includes(key) === true ? '' : ', may be absent';
    const here = `${path}${key}`;
    const line = `| \`${here}\` | ${valuesOf(field)}${optional} |`;
    return [line, ...fieldLines(field.items ?? field, `${here}${field.items === undefined ? '' : '[]'}.`)];
  });
}

function valuesOf(shape: Shape): string {
  const choices = shape.oneOf ?? shape.anyOf;
  if (choices !== undefined) return choices.map(valuesOf).join(' or ');
  if (shape.const !== undefined) return `\`${JSON.stringify(shape.const)}\``;
  if (shape.enum !== undefined) return shape.enum.map((value) => `\`${value}\``).join(' ');
  if (shape.type === 'array')
    return `list of ${range(shape.minItems ?? 0, shape.maxItems)}: ${valuesOf(shape.items ?? {})}`;
  if (shape.type === 'string') return textOf(shape);
  if (shape.type === 'integer') return `whole number ${range(shape.minimum, shape.maximum)}`;
  return shape.type ?? 'anything';
}

function textOf({ pattern, minLength, maxLength }: Shape): string {
  const length = maxLength === undefined ? '' : ` of ${range(minLength ?? 0, maxLength)} characters`;
  if (pattern?.includes('[0-9a-zA-Z+/]{4}') === true) return `base64${length}`;
  return pattern === undefined ? `text${length}` : `\`${pattern.replaceAll('|', '\\|')}\`${length}`;
}

function range(minimum: number | undefined, maximum: number | undefined): string {
  if (minimum === maximum) return String(maximum);
  return `${minimum ?? ''}…${maximum ?? ''}`;
}

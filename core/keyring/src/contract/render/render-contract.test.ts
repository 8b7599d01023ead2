import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fingerprintWords, sha256Hex } from '@ringfence/crypto/sign';
import type { Decimal } from '@ringfence/protocol/federation';
import { contractStatement, type Contract } from '@ringfence/protocol/statements';
import { z } from 'zod';
import { readContract } from '../contract-file.ts';
import { SampleContract } from '../sample-contract.fixture.ts';
import { contractChanges } from './contract-changes.ts';
import { contractFields } from './contract-fields.ts';
import { renderContractHtml, renderContractText } from './render-contract.ts';

const decimal = (text: string): Decimal => text as Decimal;
const sample = new SampleContract('render');
const person = { kind: 'person' as const, column: 'texture', mostRows: 3 };
const MLP = { kind: 'mlp' as const, inputs: 2, hidden: [32], activation: 'tanh' as const, classes: 2 };
const CNN = {
  kind: 'cnn' as const,
  height: 28,
  width: 28,
  channels: 1,
  filters: [16, 32] as [number, number],
  hidden: 32,
  classes: 2,
};
const OWN: Contract['code'] = {
  kind: 'own',
  parameters: 6,
  digest: sha256Hex(Buffer.from('x')),
  run: 'python3 <train>.py && echo "a" \u202e\n\\x',
  setup: 'pip install numpy',
  image: `docker.io/library/python@sha256:${'a'.repeat(64)}`,
  python: '3.12',
};
const ADAPTIVE = { rate: decimal('1'), beta1: decimal('0.9'), beta2: decimal('0.99'), tau: decimal('0.001') };
const lan = { relay: null, lan: '10.0.0.1:9000' };
/** Contracts that have every member of every alternative among them. */
const VARIANTS: readonly Partial<Contract>[] = [
  {},
  { code: OWN, privacy: { ...sample.terms.privacy, unit: { kind: 'organisation' }, noise: null, budget: null } },
  { privacy: { ...sample.terms.privacy, unit: person, grade: 'declared' } },
  {
    code: { ...sample.terms.code, model: MLP } as Contract['code'],
    strategy: { kind: 'fedprox', rate: decimal('1'), mu: decimal('0.1') },
  },
  { code: { ...sample.terms.code, model: CNN } as Contract['code'], strategy: { kind: 'fedadam', ...ADAPTIVE } },
  { strategy: { kind: 'fedyogi', ...ADAPTIVE }, aggregator: { ...sample.terms.aggregator, ...lan } },
  { strategy: { kind: 'fedadagrad', rate: decimal('1'), tau: decimal('0.001') } },
  {
    evaluation: { every: 2, heldOut: decimal('0.2'), stop: { metric: 'loss', patience: 3, minDelta: decimal('0') } },
    robustness: { updateNorm: decimal('4') },
  },
];
const files = VARIANTS.map((change) => sample.file(sample.parties, change));

/** Every member of the schema, of whatever alternative, as `a.b[].c`. */
function membersOf(shape: z.core.JSONSchema._JSONSchema, path = ''): string[] {
  if (typeof shape === 'boolean') return [];
  const choices = [...(shape.oneOf ?? []), ...(shape.anyOf ?? [])];
  const inner = choices.flatMap((choice) => membersOf(choice, path));
  const items = [shape.items ?? [], shape.prefixItems ?? []].flat().flatMap((item) => membersOf(item, `${path}[]`));
  const members = Object.entries(shape.properties ?? {}).flatMap(([key, member]) => {
    const here = path === '' ? key : `${path}.${key}`;
    const below = membersOf(member, here);
    return below.length === 0 ? [here] : below;
  });
  return [...new Set([...inner, ...items, ...members])];
}

it('shows every member that the statement’s schema has', () => {
  const wanted = membersOf(z.toJSONSchema(contractStatement, { io: 'input', unrepresentable: 'any' }));
  assert.ok(wanted.length > 60, String(wanted.length));
  const shown = new Set(
    files.flatMap((file) =>
      contractFields(readContract(file).claimed).map(({ path }) => path.replaceAll(/\[\d+\]/g, '[]')),
    ),
  );
  assert.deepEqual(
    wanted.filter((path) => ![...shown].some((there) => there === path || there.startsWith(`${path}[]`))),
    [],
  );
});

it('shows every value of the bytes that are signed, in text and HTML, and the digest of just these bytes', () => {
  for (const file of files) {
    const payload = Buffer.from(file.contract.payload, 'base64');
    const digest = sha256Hex(payload);
    const [text, page] = [renderContractText(file), renderContractHtml(file)];
    const leaves: (null | string | number | boolean)[] = [];
    JSON.parse(payload.toString(), (_, value: unknown) => {
      if (value === null || typeof value === 'string' || typeof value === 'number') leaves.push(value);
      return value;
    });
    assert.ok(leaves.length > 80);
    for (const leaf of leaves) {
      if (typeof leaf === 'string' && /[^a-zA-Z0-9._:/@-]/.test(leaf)) continue;
      const value = leaf === null ? 'none' : String(leaf);
      assert.ok(text.includes(`: ${value}`) && page.includes(`<td>${value}</td>`), value);
    }
    assert.ok(text.includes(digest) && page.includes(digest));
  }
});

it('shows nothing that a value could make look like something else', () => {
  const [, own] = files;
  const [text, page] = [renderContractText(own ?? assert.fail()), renderContractHtml(own ?? assert.fail())];
  assert.ok(text.includes('run: python3 <train>.py && echo "a" \\u{202e}\\u{a}\\u{5c}x'), text);
  assert.ok(page.includes('python3 &#60;train&#62;.py &#38;&#38; echo &#34;a&#34; \\u{202e}'));
  assert.ok(!page.includes('<train>') && !/\u202e/.test(page));
  assert.match(page, /default-src 'none'/);
  assert.ok(!/<script|src=|href=/.test(page));
});

it('escapes what no eye sees, or what alters the letter before it, and keeps every space', () => {
  const privacy = { ...sample.terms.privacy, unit: { kind: 'organisation' as const }, noise: null, budget: null };
  const ownCode = (run: string) => sample.file(sample.parties, { code: { ...OWN, run }, privacy });
  const unseen = [0x3164, 0x115f, 0xffa0, 0x34f, 0xfe0f, 0x2800, 0xe0100, 0x180b, 0x17b4, 0xa0, 0x3000, 0x2003, 0x301];
  for (const point of unseen) {
    const character = String.fromCodePoint(point);
    const file = ownCode(`a${character}b  c`);
    for (const shown of [renderContractText(file), renderContractHtml(file)]) {
      assert.ok(shown.includes(`a\\u{${point.toString(16)}}b  c`), point.toString(16));
      assert.ok(!shown.includes(character), point.toString(16));
    }
  }
  assert.match(renderContractHtml(sample.file()), /td \{ white-space: pre-wrap \}/);
  const plain = renderContractText(ownCode('étude, 研究'));
  assert.ok(plain.includes('étude, 研究'), 'letters of any script are as they are');
});

it('says words of keys, names of organisations and dates beside them', () => {
  const text = renderContractText(sample.file());
  const [party] = sample.terms.parties;
  assert.ok(text.includes(fingerprintWords(party?.root ?? assert.fail())));
  assert.ok(text.includes(`outputs[0].recipients[0]: ${party?.org}  (${party?.name})`));
  assert.match(text, /notAfter: \d+ {2}\(20\d\d-\d\d-\d\dT/);
});

it('names where two contracts differ, and nothing where they are the same', () => {
  const [one, other] = files;
  assert.ok(one !== undefined && other !== undefined);
  assert.deepEqual(contractChanges(one, one), []);
  const changed = sample.file([], { rounds: { count: 11, longestMs: 60_000 } });
  assert.deepEqual(contractChanges(one, changed), [{ path: 'rounds.count', before: '10', after: '11' }]);
  const tested = { every: 2, stop: { metric: 'loss', patience: 3, minDelta: decimal('0') } } as const;
  assert.deepEqual(contractChanges(one, sample.file([], { evaluation: tested })), [
    { path: 'evaluation.every', before: undefined, after: '2' },
    { path: 'evaluation.stop.metric', before: undefined, after: 'loss' },
    { path: 'evaluation.stop.patience', before: undefined, after: '3' },
    { path: 'evaluation.stop.minDelta', before: undefined, after: '0' },
  ]);
  assert.ok(!renderContractText(one).includes('Evaluation'), 'what a contract leaves out has no title');
  const paths = contractChanges(one, other).map(({ path }) => path);
  assert.ok(
    paths.includes('code.digest') && paths.includes('code.model.kind') && paths.includes('privacy.noise.honestMin'),
  );
});

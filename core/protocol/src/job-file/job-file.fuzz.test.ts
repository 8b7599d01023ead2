import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseJobFile, readJob } from './parse.ts';
import { ProblemList } from './problem-list.ts';
import { JobFileError, PROBLEM_CODES, type Problem } from './problem.ts';
import type { Tree } from './tree.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_801);
console.log(`seed ${SEED} (FUZZ_SEED)`);

// Traces of 100,000 refusals are most of the time, and none is looked at; other files may share this process.
const { stackTraceLimit } = Error;
before(() => {
  Error.stackTraceLimit = 0;
});
after(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

// Stands between all letters of every planted value, so that no cut or shift of a text can free a value of it.
const MARK = '§';
const CANARY = 'canary'.split('').join(MARK);

const WORDS = (
  'name type run setup image python workdir mounts outputs resources nodes env secrets retry on_partition priority ' +
  'max_duration deadline budget weights cost speed gravity residency_deny customer_key notify service privacy purpose profile dataset artifact cpus memory gpu disk spot max_price on max ' +
  'checkpoint port api replicas scaling metric target probe sensitivity place tiers residency require evidence_grade ' +
  'evidence_max_age isolation burst tee egress logs nme memroy constructor toString __proto__ /data /out /usr / LR'
).split(' ');
const VALUES = [
  CANARY,
  `/${CANARY}`,
  `/data/../${CANARY}`,
  `H100:${CANARY}:1`,
  `${CANARY}=1`,
  `TOKEN=${CANARY}`,
  `ghp_abcdefghijklmnopqrstuv${CANARY}`,
  `-----BEGIN ${CANARY}`,
  `${CANARY}.example:443`,
  `acme/${CANARY}@sha256:0`,
  `12 ${CANARY}`,
  `4..${CANARY}`,
];
const GOOD = [
  'train',
  'serve',
  'x',
  '4',
  '4+',
  '8GB',
  '0..8',
  'true',
  '/out',
  '6h',
  'restricted',
  'private',
  'EU',
  '~',
  '',
];

/** mulberry32: fast, and the same everywhere. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Random = (below: number) => number;
const pick = <T>(from: readonly T[], random: Random): T => from[random(from.length)] as T;

function randomTree(random: Random, depth: number): Tree {
  const kind = random(depth > 4 ? 2 : 6);
  const line = 1 + random(50);
  if (kind < 2) return { kind: 'text', text: pick(VALUES, random), plain: random(2) === 0, line };
  if (kind === 2) return { kind: 'text', text: pick(GOOD, random), plain: random(2) === 0, line };
  if (kind === 3) {
    return { kind: 'list', items: Array.from({ length: random(4) }, () => randomTree(random, depth + 1)), line };
  }
  return randomMap(random, depth);
}

function randomMap(random: Random, depth: number): Tree {
  const keys = new Set(Array.from({ length: random(depth === 0 ? 9 : 4) }, () => pick(WORDS, random)));
  const entries = [...keys].map((key) => ({ key, line: 1 + random(50), value: randomTree(random, depth + 1) }));
  return { kind: 'map', entries, line: 1 };
}

function checkProblems(problems: readonly Problem[]): void {
  assert.ok(problems.length > 0 && problems.length <= 100);
  for (const { path, code, message, nearest } of problems) {
    assert.ok(PROBLEM_CODES.includes(code));
    assert.ok(![path, message, nearest ?? ''].some((part) => part.includes(MARK)), `a value shows: ${code}`);
  }
}

/** The problems of `text`, none when it parses; anything but a JobFileError fails. */
function checkText(text: string): boolean {
  try {
    parseJobFile(text);
    return true;
  } catch (error) {
    assert.ok(error instanceof JobFileError, `${String(error)} for ${JSON.stringify(text)}`);
    checkProblems(error.problems);
    assert.ok(error.cause === undefined && !`${error.stack}${error.message}`.includes(MARK));
    return false;
  }
}

test(`${CASES} random trees: only refusals, never with a value in them`, () => {
  const random = randomOf(SEED);
  let refused = 0;
  for (let round = 0; round < CASES; round += 1) {
    const tree = round % 8 === 0 ? randomTree(random, 0) : randomMap(random, 0);
    const problems = new ProblemList();
    const file = readJob(tree, problems);
    if (file === undefined) assert.ok(!problems.isEmpty);
    if (problems.isEmpty) continue;
    refused += 1;
    checkProblems(problems.against(tree));
  }
  assert.ok(refused > 0.8 * CASES);
});

test(`${CASES} texts of YAML pieces: only refusals, never with a value in them`, () => {
  const random = randomOf(SEED + 1);
  const pieces = [
    ': ',
    '- ',
    '\n',
    '\n  ',
    '\n    ',
    '{',
    '}',
    '[',
    ']',
    ', ',
    '? ',
    '&a ',
    '*a',
    '!x ',
    '|\n',
    '>\n',
    '"',
    "'",
    '#',
    '%',
    '---\n',
    '<<',
    '\t',
    '\\',
    '\0',
    '\u{feff}',
    '\u{85}',
    '\ud800',
    '\r\n',
    'name: a\n',
    'run: b\n',
    `env: {A: ${CANARY}}\n`,
    'secrets: [',
    `${CANARY}`,
    'resources: {',
    'cpus',
    '4',
  ];
  for (let round = 0; round < CASES; round += 1) {
    let text = '';
    for (let count = random(9); count >= 0; count -= 1) text += pick(pieces, random);
    checkText(text);
  }
});

test(`${CASES / 20} mutations of a good file: only refusals, never with a value in them`, () => {
  const random = randomOf(SEED + 2);
  const good = `name: a\nrun: echo ${CANARY}\nenv: {KEY: ${CANARY}}\noutputs: {/out: {artifact: m}}
resources: {cpus: 4+, memory: 8GB}\nretry: {on: [error], checkpoint: /out/c}\nprivacy:\n  sensitivity: internal\n`;
  assert.ok(checkText(good));
  const letters = '{}[]:,-#&*!|>\'"%@`?\n\t ~0aA/.=+§'.split('');
  let right = 0;
  for (let round = 0; round < CASES / 20; round += 1) {
    let text = good;
    for (let count = random(4); count >= 0; count -= 1) {
      const at = random(text.length);
      const cut = random(3) === 0 ? random(20) : 0;
      text = text.slice(0, at) + pick(letters, random) + text.slice(at + cut);
    }
    if (checkText(text)) right += 1;
  }
  assert.ok(right > CASES / 1_000 && right < 0.049 * CASES, `${right} of the mutated files were right`);
});

test(`${CASES / 20} files of random shape as JSON, which is YAML too`, () => {
  const random = randomOf(SEED + 3);
  const plainOf = (tree: Tree): unknown => {
    if (tree.kind === 'list') return tree.items.map(plainOf);
    if (tree.kind === 'map') return Object.fromEntries(tree.entries.map(({ key, value }) => [key, plainOf(value)]));
    return tree.kind === 'text' ? tree.text : null;
  };
  for (let round = 0; round < CASES / 20; round += 1) checkText(JSON.stringify(plainOf(randomMap(random, 0))));
});

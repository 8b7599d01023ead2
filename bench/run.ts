// `npm run bench` lists the benches, `npm run bench -- NAME… [--json]` runs them: bench/NAME.bench.ts.
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { jsonLine, table } from './format.ts';
import type { Bench, Row } from './row.ts';

const SUFFIX = '.bench.ts';
const folder = import.meta.dirname;
const names = globSync(`*${SUFFIX}`, { cwd: folder })
  .map((file) => basename(file, SUFFIX))
  .toSorted();

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    // Lists of one's own for `fgd`, which reads them.
    pods: { type: 'string' },
    nodes: { type: 'string' },
  },
  allowPositionals: true,
});

async function load(name: string): Promise<Bench> {
  return (await import(pathToFileURL(join(folder, name + SUFFIX)).href)) as Bench;
}

async function list(): Promise<void> {
  console.log('npm run bench -- NAME… [--json]\n');
  const width = Math.max(...names.map((name) => name.length));
  for (const name of names) console.log(`  ${name.padEnd(width)}  ${(await load(name)).description}`);
}

async function runOne(name: string): Promise<void> {
  const rows: Row[] = [];
  for await (const row of (await load(name)).run()) {
    rows.push(row);
    if (values.json) console.log(jsonLine(name, row));
  }
  if (!values.json) console.log(`${name}\n${table(rows)}\n`);
}

const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`no bench named ${unknown.join(', ')}; there are: ${names.join(', ')}`);
  process.exitCode = 2;
} else if (positionals.length === 0) await list();
// One after the other: two benches at once would measure each other.
else for (const name of positionals) await runOne(name);

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { LEARNED_BODIES } from '@ringfence/protocol/learned';
import { VERSION } from '../version.ts';
import { openApi } from './openapi.ts';
import { routeTable } from './route-table.ts';

const PAGE = new URL('../../../../docs/openapi.json', import.meta.url);

test('docs/openapi.json is what the route table says (RINGFENCE_WRITE_DOCS=1 with this test writes it)', () => {
  // The table's handlers are not called here, so they need no database.
  const routes = routeTable({} as ControlPlaneContext, VERSION);
  const text = `${JSON.stringify(openApi(routes, VERSION), null, 2)}\n`;
  if (process.env['RINGFENCE_WRITE_DOCS'] === '1') writeFileSync(PAGE, text);
  // Not assert.equal: it would print both descriptions.
  assert.ok(readFileSync(PAGE, 'utf8') === text, 'docs/openapi.json is out of date');
  const ids = routes.map(({ method, path }) => `${method} ${path}`);
  assert.equal(new Set(ids).size, ids.length);
});

test('whatever a request can carry is told, field by field, in docs/what-the-control-plane-learns.md', () => {
  for (const { method, path, body } of routeTable({} as ControlPlaneContext, VERSION))
    assert.ok(body === undefined || LEARNED_BODIES.has(body), `${method} ${path}`);
});

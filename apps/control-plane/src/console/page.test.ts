import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { buildPage, GENERATED_PAGE } from './build-page.fixture.ts';

test('the page that is served is the one whose source is here', async () => {
  const text = `${JSON.stringify(await buildPage(), null, 2)}\n`;
  if (process.env['RINGFENCE_WRITE_DOCS'] === '1') {
    mkdirSync(dirname(GENERATED_PAGE), { recursive: true });
    writeFileSync(GENERATED_PAGE, text);
  }
  const committed = existsSync(GENERATED_PAGE) ? readFileSync(GENERATED_PAGE, 'utf8') : '';
  assert.ok(committed === text, 'the committed page differs: run this test with RINGFENCE_WRITE_DOCS=1');
});

test('the page loads nothing from elsewhere, and has no script or style in its text', async () => {
  const { html, style, script } = await buildPage();
  assert.deepEqual(
    [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, target]) => target),
    ['/account/style.css', '/account/script.js'],
  );
  assert.doesNotMatch(html, /<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=/i);
  assert.doesNotMatch(style, /@import|url\(/);
  assert.doesNotMatch(script, /https?:|innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function/);
});

#!/usr/bin/env node
// Plain JavaScript for the system's Node; the CLI itself runs on the Node that npm brought.
import { launch } from '../../../scripts/run.mjs';

await launch(new URL('../src/main.ts', import.meta.url).href, process.argv.slice(2));

import { writeFileSync } from 'node:fs';
import { renderReference } from '#config';

/** Pages that are generated from the code. A test beside each generator compares them with the tree. */
const pages = [{ file: '../docs/configuration.md', text: renderReference() }];

for (const { file, text } of pages) writeFileSync(new URL(file, import.meta.url), text);

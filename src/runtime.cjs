'use strict';
// Refuses a Node.js that cannot run Sallyport, in one line instead of a stack trace.
//
// CommonJS in plain JavaScript, since this file runs on the very Node.js it refuses: before 22.18 the loader does not even
// open a .ts file. So the launcher and the npm scripts load it first (`node --require`), and src/main.ts imports it before
// it loads anything else: 22.18 and later read main.ts, but not all that is behind it.

const needed = require('../package.json').engines.node.replace('>=', '');

/** Why this version cannot run Sallyport and what to do about it; null when it can. */
function objection(version) {
  if (!isOlder(version, needed)) return null;
  return (
    'sallyport: this is Node.js ' +
    version +
    ', and ' +
    needed +
    ' or newer is needed. Run `npm ci` (without --ignore-scripts): it installs the right one here, ' +
    'and ./sallyport and the npm scripts use it.'
  );
}

function isOlder(version, other) {
  const ours = version.split('.').map(Number);
  const theirs = other.split('.').map(Number);
  const place = theirs.findIndex((part, index) => part !== ours[index]);
  return place >= 0 && ours[place] < theirs[place];
}

const words = objection(process.versions.node);
if (words !== null) {
  process.stderr.write(words + '\n');
  // EX_CONFIG of sysexits.h.
  process.exit(78);
}

module.exports = { objection };

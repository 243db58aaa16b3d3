import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Context } from './facts.ts';
import { loadSchema } from './schema.ts';

type TypeName<T> = [T] extends [boolean] ? 'boolean' : [T] extends [string] ? 'string' : 'strings';

/** Context said as values: the compiler refuses a group or attribute too few, too many or of another type. */
const fieldsOfContext: {
  readonly [Group in keyof Required<Context>]: {
    readonly [Name in keyof Required<Context>[Group]]: TypeName<Required<Context>[Group][Name]>;
  };
} = {
  segment: {
    listenerClass: 'string',
    protocolServed: 'boolean',
    templateServed: 'boolean',
    tlsFloorMet: 'boolean',
    sourceAllowed: 'boolean',
    managed: 'boolean',
    classAllowed: 'boolean',
  },
  rate: { source: 'boolean', device: 'boolean', template: 'boolean' },
  secret: {
    known: 'boolean',
    notVoid: 'boolean',
    unexpired: 'boolean',
    unused: 'boolean',
    forTemplate: 'boolean',
    forRequest: 'boolean',
    forDevice: 'boolean',
  },
  challenge: { known: 'boolean', withinLimit: 'boolean' },
  workflow: { required: 'boolean', agreed: 'boolean' },
  account: {
    presented: 'boolean',
    valid: 'boolean',
    forTemplate: 'boolean',
    forRequest: 'boolean',
    withinNames: 'boolean',
    withinCount: 'boolean',
    authorized: 'boolean',
    approved: 'boolean',
  },
  presenter: {
    issuedHere: 'boolean',
    known: 'boolean',
    endEntity: 'boolean',
    unexpired: 'boolean',
    unrevoked: 'boolean',
    sameTemplate: 'boolean',
    sameNames: 'boolean',
    keyAllowed: 'boolean',
  },
  identity: {
    kind: 'string',
    known: 'boolean',
    current: 'boolean',
    purpose: 'boolean',
    forTemplate: 'boolean',
    forDevice: 'boolean',
  },
  binding: { required: 'boolean', bound: 'boolean', contradicted: 'boolean' },
  device: { known: 'boolean', state: 'string', fresh: 'boolean' },
  evidence: {
    required: 'boolean',
    offered: 'boolean',
    judged: 'boolean',
    sound: 'boolean',
    fresh: 'boolean',
    trusted: 'boolean',
    forKey: 'boolean',
    forDevice: 'boolean',
    unused: 'boolean',
    verified: 'boolean',
  },
  versions: { kept: 'boolean' },
  attestingKey: { withinLimit: 'boolean' },
  request: {
    possession: 'boolean',
    subject: 'boolean',
    subjectAltName: 'boolean',
    usage: 'boolean',
    endEntity: 'boolean',
    noSid: 'boolean',
    extensions: 'boolean',
  },
  key: { algorithmAllowed: 'boolean', originAllowed: 'boolean', strong: 'boolean', unshared: 'boolean' },
  template: { known: 'boolean', forClass: 'boolean', namesBuilt: 'boolean' },
  approval: { required: 'boolean', granted: 'boolean', lifts: 'strings', denied: 'boolean' },
  renewal: { windowOpen: 'boolean' },
  lineage: { uncontested: 'boolean' },
};

describe('schema.cedarschema', () => {
  it('offers exactly the groups and attributes of Context', () => {
    const offered = Object.fromEntries(
      Object.entries(loadSchema().attributesOf).map(([group, attributes]) => [
        group,
        Object.fromEntries(attributes.map(({ name, type }) => [name, type])),
      ]),
    );
    assert.deepEqual(offered, fieldsOfContext);
  });

  it('gives each action the groups of its stage', () => {
    const { admit, enroll, renew } = loadSchema().groupsOf;
    const common = [
      'account',
      'approval',
      'attestingKey',
      'binding',
      'device',
      'evidence',
      'key',
      'rate',
      'request',
      'segment',
      'template',
      'versions',
      'workflow',
    ];
    assert.deepEqual([...admit].sort(), ['rate', 'segment']);
    assert.deepEqual([...enroll].sort(), [...common, 'challenge', 'identity', 'secret'].sort());
    assert.deepEqual([...renew].sort(), [...common, 'lineage', 'presenter', 'renewal'].sort());
  });
});

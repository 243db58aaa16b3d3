import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Template } from '#ca';
import type { OrderObservation, SourceObservation } from '../observations.ts';
import { deriveAccount } from './account.ts';

const identifier = { type: 'permanent-identifier', value: 'ada' } as const;

const order: OrderObservation = {
  id: 'o1',
  account: { id: 'a1', status: 'valid' },
  key: null,
  template: 'hardware',
  identifiers: [identifier],
  authorizations: [
    {
      id: 'z1',
      ...identifier,
      wildcard: false,
      status: 'valid',
      method: 'device-attest-01',
      validatedAt: 1,
      expiresAt: 100,
    },
  ],
  notBefore: null,
  notAfter: null,
  expiresAt: 100,
  finalizedAt: null,
  finalizedSpki: null,
  failed: false,
  certificate: null,
  otherNames: 0,
};

const asked = {
  source: { protocol: 'acme', template: 'hardware' } as SourceObservation,
  template: {
    authentication: ['account'],
    acme: {
      challenges: ['device-attest-01'],
      externalAccountKey: 'optional',
      networks: [],
      caa: null,
      orderSeconds: 600,
      authorizationSeconds: 600,
    },
  } as Pick<Template, 'authentication' | 'acme'>,
  request: { spki: '00', subjectAltName: [], changeSubjectName: null },
  renewed: null,
  notAfter: 200,
  attested: true,
  time: 50,
};

const whole = {
  presented: true,
  valid: true,
  forTemplate: true,
  forRequest: true,
  withinNames: true,
  withinCount: true,
  authorized: true,
  // Evidence is what a first enrollment needs of it, and no operator looked at its names.
  approved: false,
};

describe('an account without an external account key', () => {
  it('is one by evidence that holds', () => {
    assert.deepEqual(deriveAccount(order, asked).facts, whole);
  });

  for (const [what, changes, facts, words] of [
    [
      'evidence that does not hold',
      { attested: false },
      { valid: false },
      /no external account key, and the evidence/,
    ],
    [
      'a template that demands a key now',
      { template: { ...asked.template, acme: { ...asked.template.acme!, externalAccountKey: 'required' } } },
      { forTemplate: false },
      /takes no account without an external account key/,
    ],
    [
      'a template from before there was the choice',
      { template: { ...asked.template, acme: { ...asked.template.acme!, externalAccountKey: undefined } } },
      { forTemplate: false },
      /takes no account without an external account key/,
    ],
  ] as const) {
    it(`is none by ${what}`, () => {
      const finding = deriveAccount(order, { ...asked, ...(changes as object) });
      assert.deepEqual(finding.facts, { ...whole, ...facts });
      assert.match(Object.values(finding.reasons).join(), words);
    });
  }

  it('is none once it has ended', () => {
    const ended = { ...order, account: { ...order.account, status: 'revoked' as const } };
    assert.deepEqual(deriveAccount(ended, asked).facts, { ...whole, valid: false });
  });
});

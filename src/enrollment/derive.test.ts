import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { derive } from './derive.ts';
import { device, noon, referencesWith, request, template } from './identity.fixture.ts';
import { examined, takesBoth } from './layers/evidence.fixture.ts';
import type { Observations } from './observations.ts';

/** Whoever could have a device approved for any key would have evidence in store for keys that are used when the hardware is gone. */
describe('evidence that was fresh when it came', () => {
  const lifetimeSeconds = 3600;
  const ended = noon + lifetimeSeconds * 1000;
  const references = {
    ...referencesWith({}),
    templates: { [template.name]: template },
    deviceClasses: { [takesBoth.name]: takesBoth },
    approvals: { lifetimeSeconds },
  };
  const isFresh = (approvedKey: string | null) => {
    const observations: Observations = {
      source: {
        listener: 'enroll',
        protocol: 'est',
        operation: 'simpleenroll',
        template: template.name,
        address: '192.0.2.1',
        tls: null,
      },
      rate: { source: { tat: null }, device: null, template: null },
      request,
      secret: null,
      presenter: null,
      device,
      evidence: {
        offered: ['tpm'],
        examination: { ...examined, statement: { ...examined.statement, spki: request.spki, fresh: null } },
        status: null,
        earlier: { same: true, fresh: true, certificate: null, seenAt: noon },
      },
      key: null,
      approval: {
        id: 'approval-1',
        spki: approvedKey,
        names: null,
        lifts: [],
        createdAt: ended - 1,
        expiresAt: ended * 2,
        by: 'ada',
      },
      denials: [],
      issued: null,
    };
    return derive(observations, references, 'request', ended).facts.context.evidence?.fresh;
  };

  test('stays so once more for its device where its key was approved, and not by an approval beforehand', () => {
    assert.equal(isFresh(request.spki), true);
    assert.equal(isFresh(null), false);
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ada, assertRefused, openWorld, refusedWith } from '../admin.fixture.ts';

suite('certificates', () => {
  test('revoking says why, asks for the CRL, and is final', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    const id = await world.issue('laptop-7');
    const revoked = await world.admin.perform('revokeCertificate', ada, { id, reason: 'keyCompromise' });
    assert.deepEqual(world.revokedIssuers, ['issuing']);
    assert.equal(revoked.published, false, 'no CRL job runs here');
    const shown = await world.admin.perform('showCertificate', ada, { id: id.toUpperCase() });
    assert.equal(shown.state, 'revoked');
    assert.equal(shown.revocationReason, 'keyCompromise');
    assert.equal(shown.subject, 'CN=laptop-7');
    await assertRefused(world, 'revokeCertificate', { id }, refusedWith('conflict', /already/));
    await assertRefused(world, 'revokeCertificate', { id: 'abcd' }, refusedWith('not-found'));
  });

  test('reasons of CAs, and those that could be taken back, are refused', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    const id = await world.issue('laptop-7');
    for (const reason of ['certificateHold', 'removeFromCRL', 'cACompromise', 'aACompromise']) {
      await assertRefused(
        world,
        'revokeCertificate',
        { id, reason: reason as 'unspecified' },
        refusedWith('usage'),
      );
    }
  });

  test('lists go page by page, each certificate once', async (t) => {
    const world = await openWorld(t);
    await world.importDevice('laptop-7');
    const issued = [
      await world.issue('laptop-7'),
      await world.issue('laptop-7'),
      await world.issue('laptop-7'),
    ];
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: { limit: number; after?: string } = after === null ? { limit: 2 } : { limit: 2, after };
      const answer = await world.admin.perform('listCertificates', ada, page);
      seen.push(...answer.items.map(({ serialNumber }) => serialNumber));
      after = answer.next;
    } while (after !== null);
    assert.deepEqual(seen, issued);
  });
});

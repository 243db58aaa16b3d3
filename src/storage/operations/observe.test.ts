import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  approve,
  certificateOf,
  createSecret,
  device,
  digest,
  entry,
  holdRecord,
  hour,
  importDevices,
  intent,
  issue,
  issuedRecord,
  mac,
  newApproval,
  newSecret,
  now,
  observeQuery,
  openStores,
  wide,
} from '../storage.fixture.ts';

suite('observing an empty store', () => {
  test('sees nothing', async (t) => {
    const { enrollment } = openStores(t);
    assert.deepEqual(
      await enrollment.observe(
        observeQuery({ secretMacs: [mac('s')], userName: 'd', presenterSha256: digest('c') }),
      ),
      {
        secret: null,
        userNameDevice: null,
        presenter: null,
        order: null,
        device: null,
        keyShared: false,
        approval: null,
        denials: [],
        otherKeyCurrent: false,
        issued: null,
        lineage: null,
        rates: { device: null, template: null, presented: null, challenge: null },
        nonce: null,
        earlierEvidence: null,
        verifiedEvidence: null,
        attester: null,
        versions: null,
        attestingKey: null,
      },
    );
  });
});

suite('observing the secret', () => {
  test('finds it by the MAC under any key in force, and its device with it', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1', { serialNumber: null }));
    const expected = { subject: null, subjectAltName: [{ kind: 'dns', value: 'd1.example.com' }] } as const;
    await createSecret(admin, newSecret('s1', 'd1', { expected }));
    const observed = await enrollment.observe(
      observeQuery({ secretMacs: [mac('under another key'), mac('s1')] }),
    );
    assert.deepEqual(observed.secret, {
      id: 's1',
      deviceId: 'd1',
      template: 'device',
      expected,
      state: 'live',
      expiresAt: now + hour,
      reservedFor: null,
      certificate: null,
    });
    assert.deepEqual(observed.device, {
      id: 'd1',
      serialNumber: null,
      deviceClass: 'laptop',
      state: 'expected',
      identifiers: { dnsName: 'd1.example.com' },
    });
  });

  test('finds one that is for no device yet, and the device that the request names', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', null));
    const observed = await enrollment.observe(observeQuery({ secretMacs: [mac('s1')] }));
    assert.equal(observed.secret?.id, 's1');
    assert.equal(observed.secret.deviceId, null);
    assert.equal(observed.device, null);
    const asked = observeQuery({ secretMacs: [mac('s1')], identity: { column: 'id', value: 'd1' } });
    assert.equal((await enrollment.observe(asked)).device?.id, 'd1');
  });

  test('shows for whom it is reserved, and the certificate it was spent for while that is current', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', 'd1'));
    const observe = async (at = now) =>
      (await enrollment.observe(observeQuery({ secretMacs: [mac('s1')], now: at }))).secret;
    const wanted = intent('i1', 'd1', { secret: { id: 's1', state: 'live' } });

    await enrollment.reserve(wanted);
    const reserved = await observe();
    assert.equal(reserved?.state, 'reserved');
    assert.deepEqual(reserved.reservedFor, { spki: wanted.spki, names: wanted.names });
    assert.equal(reserved.certificate, null);

    await enrollment.close(issuedRecord(wanted));
    const { sha256, notAfter } = certificateOf(wanted);
    const spent = await observe(notAfter);
    assert.equal(spent?.state, 'spent');
    assert.deepEqual(spent.reservedFor, { spki: wanted.spki, names: wanted.names });
    assert.equal(spent.certificate, sha256);
    assert.equal((await observe(notAfter + 1))?.certificate, null, 'expired');

    await admin.revokeCertificate({ sha256, reason: 1, now, entry: entry('revoke') });
    assert.equal((await observe())?.certificate, null, 'revoked');
  });

  test('an unknown secret shows no device, even beside a known presenter', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'));
    const { sha256 } = await issue(enrollment, intent('i1', 'd1'));
    const observed = await enrollment.observe(
      observeQuery({ secretMacs: [mac('unknown')], presenterSha256: sha256 }),
    );
    assert.equal(observed.device, null);
    assert.deepEqual(observed.presenter, { template: 'device', deviceId: 'd1', revoked: false });
  });
});

suite('observing the user name', () => {
  test('names a device by its id, whoever the secret is for', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'));
    await createSecret(admin, newSecret('s1', 'd1'));
    const named = async (userName: string | null) =>
      (await enrollment.observe(observeQuery({ secretMacs: [mac('s1')], userName }))).userNameDevice;
    assert.equal(await named('d1'), 'd1');
    assert.equal(await named('d2'), 'd2');
    assert.equal(await named('D1'), null);
    assert.equal(await named(''), null);
    assert.equal(await named(null), null);
  });
});

suite('observing the presenter', () => {
  test('brings its device, and whether it is revoked', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'));
    const { sha256 } = await issue(enrollment, intent('i1', 'd1'));
    const first = await enrollment.observe(observeQuery({ presenterSha256: sha256 }));
    assert.equal(first.device?.id, 'd1');
    assert.equal(first.device.state, 'active');
    assert.equal(first.presenter?.revoked, false);
    await admin.revokeCertificate({ sha256, reason: 4, now, entry: entry('revoke') });
    assert.equal(
      (await enrollment.observe(observeQuery({ presenterSha256: sha256 }))).presenter?.revoked,
      true,
    );
    assert.equal(
      (await enrollment.observe(observeQuery({ presenterSha256: digest('other') }))).presenter,
      null,
    );
  });
});

suite('observing an identity from elsewhere', () => {
  const byId = { column: 'id', value: 'd1' } as const;
  const bySerialNumber = { column: 'serialNumber', value: 'SN-d1' } as const;
  const prepare = async (t: Parameters<typeof openStores>[0]) => {
    const stores = openStores(t);
    await importDevices(stores.admin, device('d1'), device('d2'), device('d3', { serialNumber: null }));
    const deviceOf = async (changes: Parameters<typeof observeQuery>[0]) =>
      (await stores.enrollment.observe(observeQuery(changes))).device?.id;
    return { ...stores, deviceOf };
  };

  test('finds its device by the column it names, and what the store has for it', async (t) => {
    const { admin, enrollment, deviceOf } = await prepare(t);
    await approve(admin, newApproval('a1', 'd1'));
    assert.equal(await deviceOf({ identity: byId }), 'd1');
    const { presenter, ...observed } = await enrollment.observe(observeQuery({ identity: bySerialNumber }));
    assert.equal(presenter, null);
    assert.deepEqual(observed.device, {
      id: 'd1',
      serialNumber: 'SN-d1',
      deviceClass: 'laptop',
      state: 'expected',
      identifiers: { dnsName: 'd1.example.com' },
    });
    assert.equal(observed.approval?.id, 'a1');
  });

  test('finds none by the other column, in other letters, or by nothing', async (t) => {
    const { deviceOf } = await prepare(t);
    for (const [column, value] of [
      ['id', 'SN-d1'],
      ['id', 'D1'],
      ['id', ''],
      ['serialNumber', 'd1'],
      ['serialNumber', 'sn-d1'],
      ['serialNumber', ''],
    ] as const) {
      assert.equal(await deviceOf({ identity: { column, value } }), undefined, `${column} ${value}`);
    }
  });

  test('an empty serial number is nobody, though a device has it', async (t) => {
    const { admin, deviceOf } = await prepare(t);
    await importDevices(admin, device('d4', { serialNumber: '' }));
    assert.equal(await deviceOf({ identity: { column: 'serialNumber', value: '' } }), undefined);
  });

  test('counts beside a certificate that is not in the store', async (t) => {
    const { deviceOf } = await prepare(t);
    const presenterSha256 = digest('of the manufacturer');
    assert.equal(await deviceOf({ identity: bySerialNumber, presenterSha256 }), 'd1');
    assert.equal(await deviceOf({ presenterSha256 }), undefined);
  });

  test('is ignored beside a secret, known or not', async (t) => {
    const { admin, deviceOf } = await prepare(t);
    await createSecret(admin, newSecret('s2', 'd2'));
    assert.equal(await deviceOf({ identity: byId, secretMacs: [mac('s2')] }), 'd2');
    assert.equal(await deviceOf({ identity: byId, secretMacs: [mac('unknown')] }), undefined);
  });

  test('is ignored beside a certificate of ours, revoked or not', async (t) => {
    const { admin, enrollment, deviceOf } = await prepare(t);
    const { sha256 } = await issue(enrollment, intent('i1', 'd2'));
    const presented = { identity: byId, presenterSha256: sha256 };
    assert.equal(await deviceOf(presented), 'd2');
    await admin.revokeCertificate({ sha256, reason: 1, now, entry: entry('revoke') });
    assert.equal(await deviceOf(presented), 'd2');
  });
});

suite('observing the key', () => {
  const shared = async (stores: ReturnType<typeof openStores>, secretId: string) =>
    (await stores.enrollment.observe(observeQuery({ secretMacs: [mac(secretId)] }))).keyShared;
  const prepare = async (t: Parameters<typeof openStores>[0]) => {
    const stores = openStores(t);
    await importDevices(stores.admin, device('d1'), device('d2'));
    await createSecret(stores.admin, newSecret('s1', 'd1'));
    await createSecret(stores.admin, newSecret('s2', 'd2'));
    return stores;
  };

  test('a certificate shares it with every other device, revoked or not', async (t) => {
    const stores = await prepare(t);
    const { sha256 } = await issue(stores.enrollment, intent('i1', 'd1'));
    assert.equal(await shared(stores, 's1'), false);
    assert.equal(await shared(stores, 's2'), true);
    assert.equal(await shared(stores, 'of no device'), true);
    await stores.admin.revokeCertificate({ sha256, reason: 1, now, entry: entry('revoke') });
    assert.equal(await shared(stores, 's2'), true);
  });

  test('an open intent shares it before the certificate is there', async (t) => {
    const stores = await prepare(t);
    await stores.enrollment.reserve(intent('i1', 'd1'));
    assert.equal(await shared(stores, 's1'), false);
    assert.equal(await shared(stores, 's2'), true);
    await stores.admin.abandonIntent({ id: 'i1', now, entry: entry('sweep') });
    assert.equal(await shared(stores, 's2'), false);
  });

  test('an open intent shares the key that asks and the key that is certified', async (t) => {
    const stores = await prepare(t);
    const keys = { requestSpki: digest('key'), spki: digest('key made here') };
    await stores.enrollment.reserve(intent('i1', 'd1', keys));
    for (const spki of Object.values(keys)) {
      const ofOther = observeQuery({ secretMacs: [mac('s2')], spki });
      assert.equal((await stores.enrollment.observe(ofOther)).keyShared, true);
      const own = observeQuery({ secretMacs: [mac('s1')], spki });
      assert.equal((await stores.enrollment.observe(own)).keyShared, false);
    }
  });

  test('a held request shares it until it is denied', async (t) => {
    const stores = await prepare(t);
    await stores.enrollment.hold(holdRecord('r1', 'd1'));
    assert.equal(await shared(stores, 's1'), false);
    assert.equal(await shared(stores, 's2'), true);
    await stores.admin.denyRequest({ id: 'r1', by: 'ada', now, entry: entry('deny') });
    assert.equal(await shared(stores, 's2'), false);
  });
});

suite('observing what a stranger wrote', () => {
  test('finds nobody by a name that no text of a database holds', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'));
    const value = 'SN-d1\0';
    const observed = await enrollment.observe(
      observeQuery({ identity: { column: 'serialNumber', value }, userName: 'd1\0', template: 'device\0' }),
    );
    assert.deepEqual([observed.device, observed.userNameDevice], [null, null]);
  });
});

suite('observing denials', () => {
  test('sees what an operator denied this device, template and key, by its names', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'));
    await createSecret(admin, newSecret('s1', 'd1'));
    const denials = async (changes = {}) =>
      (await enrollment.observe(observeQuery({ secretMacs: [mac('s1')], ...changes }))).denials;
    for (const [at, names] of ['some', 'other'].entries()) {
      const id = `r${at}`;
      await enrollment.hold(holdRecord(id, 'd1', { names: digest(names), now: now + at }));
      await admin.denyRequest({ id, by: 'ada', now: now + at, entry: entry(`deny ${id}`) });
    }
    await enrollment.hold(holdRecord('r9', 'd1', { names: digest('old') }));
    await admin.endRequest({ id: 'r9', now, entry: entry('end') });
    assert.deepEqual(await denials(), [
      { names: digest('other'), at: now + 1 },
      { names: digest('some'), at: now },
    ]);
    assert.deepEqual(await denials({ spki: digest('other key') }), []);
    assert.deepEqual(await denials({ template: 'other' }), []);
  });
});

suite('observing the approval', () => {
  test('takes one for this key before one for any, then the newest', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'));
    await createSecret(admin, newSecret('s1', 'd1'));
    const observe = async () =>
      (await enrollment.observe(observeQuery({ secretMacs: [mac('s1')] }))).approval;
    assert.equal(await observe(), null);
    await approve(admin, newApproval('old', 'd1', { createdAt: now - 2 }));
    assert.deepEqual(await observe(), {
      id: 'old',
      spki: null,
      names: null,
      lifts: ['first-enrollment'],
      evidence: null,
      createdAt: now - 2,
      expiresAt: now + hour,
      by: 'ada',
    });
    await approve(admin, newApproval('new', 'd1', { createdAt: now - 1 }));
    assert.equal((await observe())?.id, 'new');
    await approve(
      admin,
      newApproval('for key', 'd1', { createdAt: now - 3, spki: digest('key'), names: digest('names') }),
    );
    assert.equal((await observe())?.id, 'for key');
    await approve(admin, newApproval('newer for key', 'd1', { createdAt: now, spki: digest('key') }));
    assert.equal((await observe())?.id, 'newer for key');
  });

  test('sees none that expired, is taken, or is for another device, template or key', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'));
    await createSecret(admin, newSecret('s1', 'd1'));
    const observe = async () =>
      (await enrollment.observe(observeQuery({ secretMacs: [mac('s1')] }))).approval;
    await approve(admin, newApproval('expired', 'd1', { expiresAt: now }));
    await approve(admin, newApproval('of another device', 'd2'));
    await approve(admin, newApproval('of another template', 'd1', { template: 'other' }));
    await approve(admin, newApproval('of another key', 'd1', { spki: digest('other key') }));
    assert.equal(await observe(), null);
    await approve(admin, newApproval('a1', 'd1'));
    await enrollment.reserve(intent('i1', 'd1', { approvalId: 'a1' }));
    assert.equal(await observe(), null);
  });
});

suite('observing the rates', () => {
  test('of device and template, as reserving spent them', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'));
    const { sha256 } = await issue(enrollment, intent('i1', 'd1'));
    const { rates } = await enrollment.observe(observeQuery({ presenterSha256: sha256 }));
    const interval = (wide.periodSeconds * 1000) / wide.count;
    const spent = now + interval;
    assert.deepEqual(rates, { device: spent, template: spent, challenge: null, presented: null });
  });

  test('of a static challenge, where one is presented, as reserving and holding spent it', async (t) => {
    const { enrollment, admin } = openStores(t);
    await importDevices(admin, device('d1'), device('d2'));
    const limits = { device: wide, template: wide, challenge: wide };
    const ofChallenge = async () =>
      (await enrollment.observe(observeQuery({ staticChallenge: true }))).rates.challenge;
    const interval = (wide.periodSeconds * 1000) / wide.count;
    await enrollment.reserve(intent('i1', 'd1', { limits }));
    assert.equal(await ofChallenge(), now + interval);
    await enrollment.hold(holdRecord('r1', 'd2', { spki: digest('d2'), limits }));
    assert.equal(await ofChallenge(), now + 2 * interval);
  });
});

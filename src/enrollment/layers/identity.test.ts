import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { buildName, extendedKeyUsages } from '#x509';
import {
  day,
  device,
  digest,
  hardwareModule,
  idevid,
  makerCa,
  noon,
  presenterOf,
  ra,
  raCertificate,
  referencesWith,
  request,
  template,
} from '../identity.fixture.ts';
import type { PresenterObservation } from '../observations.ts';
import type { IdentityReference } from '../references.ts';
import { deriveIdentity } from './identity.ts';

type Asked = Parameters<typeof deriveIdentity>[2];
const good: Asked = { device, template, request, time: noon };
const proven = {
  kind: 'idevid',
  known: true,
  current: true,
  purpose: true,
  forTemplate: true,
  forDevice: true,
};
const { clientAuth, serverAuth, cmcRA, anyExtendedKeyUsage } = extendedKeyUsages;

function derived(
  presenter: Partial<PresenterObservation> = {},
  asked: Partial<Asked> = {},
  identity: Partial<IdentityReference> = {},
) {
  const references = referencesWith({ maker: { ...idevid, ...identity }, office: ra });
  return deriveIdentity(presenterOf(presenter), references, { ...good, ...asked });
}

/** Only these facts are not proven, and each of them has its reason. */
function assertOnly(finding: ReturnType<typeof derived>, facts: object, controls: readonly string[]): void {
  assert.deepEqual(finding.facts, { ...proven, ...facts });
  assert.deepEqual(Object.keys(finding.reasons), controls);
}

describe('an identity from elsewhere', () => {
  test('proves everything where everything is in order', () => {
    assertOnly(derived(), {}, []);
  });

  test('proves nothing that hangs on an identity where the path is empty', () => {
    const unknown = { kind: 'none', known: false, forTemplate: false, forDevice: false };
    assertOnly(derived({ path: [] }), unknown, ['identity-known']);
  });

  test('is current from notBefore to before notAfter, itself and every CA above it', () => {
    const times = [
      { notBefore: noon, notAfter: noon + 1, current: true },
      { notBefore: noon + 1, notAfter: noon + day, current: false },
      { notBefore: noon - day, notAfter: noon, current: false },
    ];
    for (const { current, ...validity } of times) {
      const controls = current ? [] : ['identity-current'];
      assertOnly(derived(validity), { current }, controls);
      for (let index = 0; index < 3; index += 1) {
        const path = presenterOf().path.map((each, i) => (i === index ? { ...each, ...validity } : each));
        assertOnly(derived({ path }), { current }, controls);
      }
    }
  });

  test('is never a CA’s', () => {
    assertOnly(derived({ isCa: true }), { purpose: false }, ['identity-purpose']);
  });

  test('RFC 5280 section 4.2.1.12: is for clientAuth, where it says for what', () => {
    assertOnly(derived({ extendedKeyUsage: [serverAuth, clientAuth] }), {}, []);
    for (const extendedKeyUsage of [[], [serverAuth], [anyExtendedKeyUsage], [cmcRA], [clientAuth, cmcRA]]) {
      assertOnly(derived({ extendedKeyUsage }), { purpose: false }, ['identity-purpose']);
    }
  });

  test('RFC 5280 section 4.2.1.3: is for digitalSignature, where it says for what', () => {
    assertOnly(derived({ keyUsage: ['digitalSignature', 'keyEncipherment'] }), {}, []);
    const forwarding = { sha256: raCertificate, path: [], extendedKeyUsage: [cmcRA] };
    for (const keyUsage of [[], ['keyEncipherment'], ['nonRepudiation', 'keyAgreement']]) {
      assertOnly(derived({ keyUsage }), { purpose: false }, ['identity-purpose']);
      const office = derived({ ...forwarding, keyUsage });
      assertOnly(office, { kind: 'ra', purpose: false }, ['identity-purpose']);
    }
  });

  test('is for clientAuth by each CA above it that says for what, and by its own word besides', () => {
    const below = (index: number, extendedKeyUsage: readonly string[]) => ({
      path: presenterOf().path.map((each, i) => (i === index ? { ...each, extendedKeyUsage } : each)),
    });
    for (const index of [1, 2]) {
      for (const usages of [[clientAuth, serverAuth], [anyExtendedKeyUsage]]) {
        assertOnly(derived(below(index, usages)), {}, []);
      }
      for (const usages of [[], [serverAuth], [cmcRA]]) {
        for (const extendedKeyUsage of [null, [clientAuth]]) {
          const finding = derived({ ...below(index, usages), extendedKeyUsage });
          assertOnly(finding, { purpose: false }, ['identity-purpose']);
        }
      }
    }
    const office = { sha256: raCertificate, extendedKeyUsage: [cmcRA], ...below(1, [serverAuth]) };
    assertOnly(derived(office), { kind: 'ra' }, []);
  });

  test('RFC 7030 section 3.3.2: of a registration authority is for cmcRA', () => {
    const forwarding = { sha256: raCertificate, path: [] };
    for (const usages of [[cmcRA], [clientAuth, cmcRA]]) {
      assertOnly(derived({ ...forwarding, extendedKeyUsage: usages }), { kind: 'ra' }, []);
    }
    for (const usages of [null, [], [clientAuth], [anyExtendedKeyUsage]]) {
      const finding = derived({ ...forwarding, extendedKeyUsage: usages });
      assertOnly(finding, { kind: 'ra', purpose: false }, ['identity-purpose']);
    }
    const ca = derived({ ...forwarding, extendedKeyUsage: [cmcRA], isCa: true });
    assertOnly(ca, { kind: 'ra', purpose: false }, ['identity-purpose']);
  });

  test('vouches for the templates of its list, and for those that take its kind', () => {
    const refused = [{ forTemplate: false }, ['identity-template']] as const;
    assertOnly(derived({}, {}, { templates: ['server'] }), ...refused);
    assertOnly(derived({}, { template: undefined }), ...refused);
    for (const kinds of [['secret'], ['mdm', 'ra'], ['attestation']] as const) {
      assertOnly(derived({}, { template: { ...template, authentication: kinds } }), ...refused);
    }
  });

  test('vouches for the device that it names, of the classes of its list', () => {
    const refused = [{ forDevice: false }, ['identity-device']] as const;
    assertOnly(derived({}, { device: null }), ...refused);
    assertOnly(derived({}, {}, { classes: ['server'] }), ...refused);
    for (const serialNumber of [null, '', 'sn-1', 'SN-1 ', 'SN-10', 'device-1']) {
      assertOnly(derived({}, { device: { ...device, serialNumber } }), ...refused);
    }
    assertOnly(derived({}, {}, { device: 'id' }), ...refused);
    assertOnly(derived(hardwareModule('SN-2')), ...refused);
    assertOnly(derived(hardwareModule(null)), ...refused);
  });

  test('of a registration authority vouches for nobody where no request was read', () => {
    const forwarding = { sha256: raCertificate, path: [], extendedKeyUsage: [cmcRA] };
    const finding = derived(forwarding, { request: null });
    assertOnly(finding, { kind: 'ra', forDevice: false }, ['identity-device']);
  });
});

const octet = fc.constantFrom('11', '22', '33', '44').map(digest);
const time = fc.integer({ min: noon - 2 * day, max: noon + 2 * day });
const validity = { notBefore: time, notAfter: time };
const text = fc.constantFrom('SN-1', 'device-1', 'SN-2');
const usages = fc.option(fc.subarray([clientAuth, serverAuth, cmcRA]));
const anyPresenter: fc.Arbitrary<PresenterObservation> = fc
  .record({
    ...validity,
    sha256: octet,
    path: fc.array(fc.record({ sha256: octet, ...validity, extendedKeyUsage: usages }), { maxLength: 4 }),
    isCa: fc.boolean(),
    selfSigned: fc.boolean(),
    keyUsage: fc.option(fc.subarray(['digitalSignature', 'keyEncipherment'])),
    extendedKeyUsage: usages,
    named: fc.oneof(
      fc.option(text).map(hardwareModule),
      fc
        .array(fc.record({ type: fc.constantFrom('serialNumber', 'commonName'), value: text }), {
          maxLength: 3,
        })
        .map((attributes) => ({ subject: buildName(attributes) })),
    ),
  })
  .map(({ named, ...presenter }) => presenterOf({ ...presenter, ...named }));
const anyIdentity: fc.Arbitrary<IdentityReference> = fc.record({
  kind: fc.constantFrom('idevid', 'mdm', 'ra'),
  device: fc.constantFrom('id', 'serialNumber'),
  from: fc.shuffledSubarray(['hardwareModuleName', 'serialNumber', 'commonName'], { minLength: 1 }),
  hardwareTypes: fc.option(fc.subarray(['1.3.6.1.4.1.32473.7', '1.3.6.1.4.1.32473.8'])),
  classes: fc.subarray(['laptop', 'server']),
  templates: fc.subarray(['device', 'server']),
  certificates: fc.array(octet, { maxLength: 2 }),
});
const anyIdentities = fc.dictionary(fc.constantFrom('a', 'b', 'c'), anyIdentity);

describe('whatever is presented', () => {
  const facts = (presenter: PresenterObservation, identities: Record<string, IdentityReference>) =>
    deriveIdentity(presenter, referencesWith(identities), good).facts;

  test('is known to nobody where no identity is configured', () => {
    fc.assert(
      fc.property(anyPresenter, (presenter) => {
        const { kind, known, forTemplate, forDevice } = facts(presenter, {});
        assert.deepEqual([kind, known, forTemplate, forDevice], ['none', false, false, false]);
      }),
    );
  });

  test('is known to nobody where the configured ones have none of its certificates', () => {
    const elsewhere = anyIdentities.map((identities) =>
      Object.fromEntries(
        Object.entries(identities).map(([name, each]) => [name, { ...each, certificates: [makerCa] }]),
      ),
    );
    fc.assert(
      fc.property(anyPresenter, elsewhere, (presenter, identities) => {
        assert.equal(facts(presenter, identities).known, false);
      }),
    );
  });

  test('is known without a path to a registration authority only', () => {
    fc.assert(
      fc.property(anyPresenter, anyIdentities, (presenter, identities) => {
        const { kind, known } = facts({ ...presenter, path: [] }, identities);
        assert.ok(!known || kind === 'ra');
      }),
    );
  });

  test('vouches for nothing where it is unknown, and is never of purpose as a CA', () => {
    fc.assert(
      fc.property(anyPresenter, anyIdentities, (presenter, identities) => {
        const { kind, known, purpose, forTemplate, forDevice } = facts(presenter, identities);
        assert.equal(known, kind !== 'none');
        assert.ok(known || !(forTemplate || forDevice));
        assert.ok(!(presenter.isCa && purpose));
      }),
    );
  });

  test('is judged alike when it is replayed: the recorded references have their names sorted', () => {
    const disjoint = anyIdentities.filter((identities) => {
      const all = Object.values(identities).flatMap(({ certificates }) => certificates);
      // One certificate in two identities is refused when the configuration is loaded.
      return new Set(all).size === all.length;
    });
    // Above a certificate stands one CA of the configuration at most: a path ends at the first.
    const endingAtOne = anyPresenter.map((presenter) => ({ ...presenter, path: presenter.path.slice(0, 2) }));
    fc.assert(
      fc.property(endingAtOne, disjoint, (presenter, identities) => {
        const reversed = Object.fromEntries(Object.entries(identities).toReversed());
        assert.deepEqual(facts(presenter, reversed), facts(presenter, identities));
      }),
    );
  });
});

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { androidEvidence, androidValues } from './android/android.fixture.ts';
import { appleEvidence, appleValues } from './apple/apple.fixture.ts';
import type { AttestationResult, ReferenceValues, RevocationStatus, TrustAnchors } from './appraisal.ts';
import { appraise } from './appraise.ts';
import {
  type KeyPair,
  anchorsOf,
  base64,
  ca,
  day,
  issue,
  keyPair,
  named,
  never,
  nonce,
  now,
} from './evidence.fixture.ts';
import { evidenceFormats } from './evidence.ts';
import { examine } from './examine.ts';
import {
  type StepRecipe,
  keys,
  names,
  root,
  stepChain,
  stepEvidence,
  stepExtensions,
  stepValues,
} from './step/step.fixture.ts';
import { makeObject, root as tpmRoot } from './tpm/statement.fixture.ts';
import { rocaKeyPair, rsaKeyPair } from './weak-key.fixture.ts';

/** What is common to all formats is shown on step, whose path is an ordinary one. */
function appraised(
  recipe: Partial<StepRecipe> = {},
  { time = now, status = null, ...values }: Partial<ReferenceValues> & Asked = {},
): AttestationResult {
  return appraise(examine(stepEvidence(recipe), nonce), { ...stepValues(), ...values }, status, time);
}

interface Asked {
  readonly time?: number;
  readonly status?: RevocationStatus | null;
}

function checksOf(...args: Parameters<typeof appraised>): readonly string[] {
  return appraised(...args).objections.map(({ check }) => check);
}

suite('roots are of one format', () => {
  const formats = {
    'android-key': { evidence: androidEvidence(), values: androidValues() },
    apple: { evidence: appleEvidence(), values: appleValues() },
    step: { evidence: stepEvidence(), values: stepValues() },
  } as const;
  for (const [format, { evidence, values }] of Object.entries(formats)) {
    const examination = examine(evidence, nonce);
    const [own] = values.anchors as [TrustAnchors];
    for (const other of evidenceFormats) {
      const vouched = other === format;
      test(`${format} under a root of ${other}: ${vouched ? 'vouched for' : 'certification-path'}`, () => {
        const { anchors, level, objections } = appraise(
          examination,
          { ...values, anchors: [{ ...own, format: other }] },
          null,
          now,
        );
        assert.equal(anchors === null, !vouched);
        assert.equal(level === null, !vouched);
        assert.deepEqual(
          objections.map(({ check }) => check),
          vouched ? [] : ['certification-path'],
        );
      });
    }
  }
});

suite('certification path', () => {
  const others = { key: keyPair(), name: named({ commonName: 'another' }) };

  test('no anchors, or no roots: certification-path', () => {
    assert.deepEqual(checksOf({}, { anchors: [] }), ['certification-path']);
    assert.deepEqual(checksOf({}, { anchors: [anchorsOf('step', [])] }), ['certification-path']);
  });
  for (const [what, certificates] of Object.entries({
    'an intermediate signed by another key': { f9: { by: others.key } },
    'a leaf signed by another key': { leaf: { by: others.key } },
    'a leaf of another issuer': { leaf: { issuer: others.name } },
    'an intermediate that is no CA': { f9: { extensions: [] } },
  })) {
    test(`${what}: certification-path`, () => {
      assert.deepEqual(checksOf({ certificates }), ['certification-path']);
    });
  }
  for (const [what, key] of Object.entries({
    short: rsaKeyPair(1024),
    'small-exponent': rsaKeyPair(2048, 3),
    roca: rocaKeyPair(),
  })) {
    test(`an intermediate or a root with a key that is ${what}: path-key`, () => {
      const f9 = appraised({ certificates: { f9: { key }, leaf: { by: key } } });
      assert.deepEqual(
        f9.objections.map(({ check, detail }) => [check, detail.replace(/^.* weak: /, '')]),
        [['path-key', what]],
      );
      const certificates = { root: { key, by: key }, f9: { by: key } };
      const anchors = [anchorsOf('step', [stepChain({ certificates })[2]!])];
      assert.deepEqual(checksOf({ certificates }, { anchors }), ['path-key']);
    });
  }
  test('a leaf that is itself a root: nobody vouches for it', () => {
    const examination = examine(stepEvidence(), nonce);
    const leaf = Buffer.from(examination.certificates[0]!, 'base64');
    const values = { ...stepValues(), anchors: [anchorsOf('step', [leaf])] };
    const { objections } = appraise(examination, values, null, now);
    assert.deepEqual(
      objections.map(({ check }) => check),
      ['certification-path'],
    );
  });
  test('the first anchors that vouch are those of the result', () => {
    const [, , another] = stepChain({ certificates: { root: { key: others.key, by: others.key } } });
    const anchors = [
      anchorsOf('step', [another!], { name: 'another' }),
      anchorsOf('step', [another!, root], { name: 'both' }),
      anchorsOf('step', [root], { name: 'late' }),
    ];
    assert.equal(appraised({}, { anchors }).anchors, 'both');
  });
  test('anchors that do not parse are an error, and no objection', () => {
    const anchors = [{ ...anchorsOf('step', []), roots: ['AAAA'] }];
    assert.throws(() => appraised({}, { anchors }), /DER/);
  });
});

suite('intermediates of the anchors', () => {
  const [leaf, f9] = stepChain();
  const x5c = [leaf!];
  const middle = { key: keyPair(), subject: named({ commonName: 'Intermediate B 1' }) };
  const recipe = {
    issuer: names.root,
    by: keys.root,
    serialNumber: '07',
    notBefore: 0,
    notAfter: never,
    extensions: [ca],
  };
  const intermediate = issue({ ...recipe, ...middle });
  const below = issue({ ...recipe, key: keys.f9, subject: names.f9, issuer: middle.subject, by: middle.key });

  test('stand in for what a device does not send', () => {
    assert.deepEqual(checksOf({ statement: { x5c } }), ['certification-path']);
    const anchors = [anchorsOf('step', [root], { intermediates: [base64(f9!)] })];
    assert.deepEqual(checksOf({ statement: { x5c } }, { anchors }), []);
  });
  test('above what it sends, among hundreds of others', () => {
    const strangers = Array.from({ length: 40 }, (_, i) =>
      base64(issue({ ...recipe, ...middle, subject: named({ commonName: `Intermediate C ${i}` }) })),
    );
    const anchors = [anchorsOf('step', [root], { intermediates: [...strangers, base64(intermediate)] })];
    assert.deepEqual(checksOf({ statement: { x5c: [leaf, below] } }, { anchors }), []);
    const without = [anchorsOf('step', [root], { intermediates: strangers })];
    assert.deepEqual(checksOf({ statement: { x5c: [leaf, below] } }, { anchors: without }), [
      'certification-path',
    ]);
  });
  test('whatever string types the issuer is written in, by its signature alone', () => {
    const issuer = names.root.map((rdn) => rdn.map((each) => ({ ...each, encoding: 'printable' as const })));
    const signedBy = (by: KeyPair) => issue({ ...recipe, issuer, by, key: keys.f9, subject: names.f9 });
    const found = (by: KeyPair) =>
      checksOf(
        { statement: { x5c } },
        { anchors: [anchorsOf('step', [root], { intermediates: [base64(signedBy(by))] })] },
      );
    assert.deepEqual(found(keys.root), []);
    assert.deepEqual(found(keyPair('rsa-2048')), ['certification-path']);
  });
  test('the first six of one name are looked at, however many there are', () => {
    const same = Array.from({ length: 16 }, () =>
      base64(issue({ ...recipe, key: keyPair(), subject: names.f9 })),
    );
    const found = (...intermediates: readonly string[]) =>
      checksOf({ statement: { x5c } }, { anchors: [anchorsOf('step', [root], { intermediates })] });
    assert.deepEqual(found(base64(f9!), ...same), []);
    assert.deepEqual(found(...same, base64(f9!)), ['certification-path']);
  });
  test('each above the other', () => {
    const anchors = [anchorsOf('step', [root], { intermediates: [base64(below), base64(intermediate)] })];
    assert.deepEqual(checksOf({ statement: { x5c } }, { anchors }), []);
  });
  test('are trusted for nothing by themselves', () => {
    const anchors = [anchorsOf('step', [], { intermediates: [base64(f9!), base64(root)] })];
    assert.deepEqual(checksOf({ statement: { x5c } }, { anchors }), ['certification-path']);
  });
});

suite('dates', () => {
  const ended = { notAfter: now - 1000 };
  const begins = { notBefore: now + 1000 };

  for (const role of ['leaf', 'f9'] as const) {
    test(`of ${role}: certificate-validity`, () => {
      for (const dates of [ended, begins]) {
        assert.deepEqual(checksOf({ certificates: { [role]: dates } }), ['certificate-validity']);
      }
    });
  }
  test('of the root are none of the path', () => {
    const [, , old] = stepChain({ certificates: { root: ended } });
    assert.deepEqual(checksOf({}, { anchors: [anchorsOf('step', [old!])] }), []);
  });
  test('notAfter and notBefore are in date themselves', () => {
    const leaf = { notBefore: now, notAfter: now };
    assert.deepEqual(checksOf({ certificates: { leaf } }), []);
  });
  test('99991231235959Z, as devices have it, has no end', () => {
    const certificates = { leaf: { notAfter: never }, f9: { notAfter: never } };
    assert.deepEqual(checksOf({ certificates }, { time: Date.UTC(2126, 0, 1) }), []);
  });
});

test('a leaf that is a CA: leaf-ca', () => {
  const extensions = [...stepExtensions(), ca];
  assert.deepEqual(checksOf({ certificates: { leaf: { extensions } } }), ['leaf-ca']);
});

suite('level', () => {
  test('that is not allowed: assurance-level', () => {
    const result = appraised({}, { levels: ['discrete-tpm'] });
    assert.deepEqual(
      result.objections.map(({ check }) => check),
      ['assurance-level'],
    );
    assert.equal(result.level, 'security-key');
    assert.deepEqual(checksOf({}, { levels: [] }), ['assurance-level']);
  });
  test('any, where none is asked for', () => assert.deepEqual(checksOf({}, { levels: null }), []));
  test('of the evidence, whatever its anchors are said to stand for', () => {
    const anchors = [anchorsOf('step', [root], { level: 'discrete-tpm' })];
    assert.equal(appraised({}, { anchors }).level, 'security-key');
  });
});

suite('the list of revoked certificates', () => {
  const status = { list: '00'.repeat(32), at: now - 3_600_000, revoked: [] };
  const asked = { maximumStatusAgeSeconds: 3600 };

  test('that is there, and young enough', () => assert.deepEqual(checksOf({}, { ...asked, status }), []));
  test('that is missing: revocation-list', () => assert.deepEqual(checksOf({}, asked), ['revocation-list']));
  test('that is too old, or from the future: revocation-list', () => {
    for (const at of [status.at - 1, now + 3_600_001]) {
      assert.deepEqual(checksOf({}, { ...asked, status: { ...status, at } }), ['revocation-list']);
    }
  });
  test('that nobody asks for may be missing or old', () => {
    assert.deepEqual(checksOf({}, { status: { ...status, at: 0 } }), []);
  });
  test('each certificate on it: revocation, asked for or not', () => {
    const revoked = [
      { serialNumber: '1', status: 'REVOKED' },
      { serialNumber: '2', status: 'SUSPENDED' },
    ];
    assert.deepEqual(checksOf({}, { status: { ...status, revoked } }), ['revocation', 'revocation']);
    const old = { ...status, at: 0, revoked };
    assert.deepEqual(checksOf({}, { ...asked, status: old }), [
      'revocation-list',
      'revocation',
      'revocation',
    ]);
  });
});

test('without reference values of its format nothing is accepted: reference-values', () => {
  for (const [evidence, { anchors, levels }] of [
    [androidEvidence(), androidValues()],
    [appleEvidence(), appleValues()],
    [stepEvidence(), stepValues()],
    [
      { envelope: 'attestation-object', bytes: makeObject() },
      { anchors: [anchorsOf('tpm', [tpmRoot], { level: 'discrete-tpm' })], levels: null },
    ],
  ] as const) {
    const { objections } = appraise(examine(evidence, nonce), { anchors, levels }, null, now);
    assert.deepEqual(
      objections.map(({ check }) => check),
      ['reference-values'],
    );
  }
});

suite('evidence that a check has refused', () => {
  test('has that one objection, for nothing else was seen', () => {
    const examination = examine(stepEvidence({ statement: { alg: 'ES256' } }), nonce);
    assert.deepEqual(appraise(examination, stepValues(), null, now), {
      anchors: null,
      level: null,
      objections: [examination.fault],
    });
  });
  test('has that one beside all others, were there a statement all the same', () => {
    const fault = { check: 'tpm-name', detail: '' };
    const examination = { ...examine(stepEvidence(), nonce), fault };
    assert.deepEqual(appraise(examination, stepValues(), null, now).objections, [fault]);
  });
  test('without a statement there is an objection, even where no check has refused it', () => {
    const examination = { ...examine(stepEvidence(), nonce), statement: null };
    const { objections } = appraise(examination, stepValues(), null, now);
    assert.deepEqual(
      objections.map(({ check }) => check),
      ['statement'],
    );
  });
});

test('every objection is told, and the same again from what was written down', () => {
  const examination = examine(stepEvidence({ certificates: { f9: { notAfter: now - day } } }), nonce);
  const values: ReferenceValues = {
    ...stepValues({ minimumFirmware: '6', touchPolicies: [] }),
    levels: ['tee'],
    maximumStatusAgeSeconds: 60,
  };
  const result = appraise(examination, values, null, now);
  assert.deepEqual(
    result.objections.map(({ check }) => check),
    ['certificate-validity', 'assurance-level', 'revocation-list', 'step-firmware', 'step-touch-policy'],
  );
  const written = JSON.parse(JSON.stringify({ examination, values }));
  assert.deepEqual(appraise(written.examination, written.values, null, now), result);
});
